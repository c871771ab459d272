//! What the app says of itself.

use tauri::State;

use super::Answer;
use crate::ipc::dto::AppStatus;
use crate::shell::Shell;

#[tauri::command]
pub(crate) async fn app_status(shell: State<'_, Shell>) -> Answer<AppStatus> {
    let problem = shell.desk_again().await.err();
    Ok(AppStatus {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        data_dir: shell.world.data_dir.clone(),
        schema: problem
            .is_none()
            .then_some(talkvalue_adapters::store::SCHEMA_VERSION as u64),
        problem: problem.map(Into::into),
    })
}
