//! The shell: the window, and what it may show, reach and call. It holds no decision about lists or accounts; those are
//! the core's, which it calls through one command per use case. The caller hands over the process: [`run`] returns
//! when the last window is closed.

pub mod commands;
mod desk;
pub mod ipc;
mod launch;
mod log;
mod menu;
#[cfg(target_os = "linux")]
mod painting;
mod quit;
mod shell;
mod sign_in;
mod single_instance;
mod window;
mod world;

use std::process::ExitCode;

use anyhow::Context as _;
use talkvalue_adapters::Settings;
use tauri::{App, AppHandle, Builder, Context, Manager as _, RunEvent, Runtime, WindowEvent, Wry};

use ipc::notices::Push;
pub use launch::Launch;
pub use menu::QUIT;
use shell::Shell;
pub use window::MAIN_WINDOW;
pub use world::{OpenAddress, OpenPorts, World};

/// Shows the main window and returns once it is closed. What was typed or set wrongly ends with 2 and a sentence.
pub fn run(launch: Launch) -> anyhow::Result<ExitCode> {
    #[cfg(target_os = "linux")]
    painting::choose();
    if let Err(message) = log::start() {
        return Ok(refused(&message));
    }
    let settings = match Settings::from_environment(launch.data_dir.clone()) {
        Ok(settings) => settings,
        Err(error) => return Ok(refused(&error.message)),
    };
    let mut builder = Builder::<Wry>::new().plugin(single_instance::plugin(&settings));
    if cfg!(target_os = "macos") {
        builder = builder.menu(menu::own);
    }
    let app =
        build(builder, context(), World::real(settings), &launch).context("the window system refused")?;
    let code = app.run_return(|handle, event| heed(handle, &event));
    Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// What the app does about an event of its loop: closing the main window may have to wait for a person's answer, and the
/// end leaves the data folder as a clean end does.
pub fn heed<R: Runtime>(app: &AppHandle<R>, event: &RunEvent) {
    match event {
        RunEvent::WindowEvent {
            label,
            event: WindowEvent::CloseRequested { api, .. },
            ..
        } if label == MAIN_WINDOW && !quit::may_close(app) => api.prevent_close(),
        RunEvent::MenuEvent(chosen) => menu::heed(app, chosen),
        RunEvent::Exit => tauri::async_runtime::block_on(app.state::<Shell>().settle()),
        _ => {}
    }
}

fn refused(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::from(2)
}

/// The configuration, the window's files and the permissions, as they were compiled in.
pub fn context<R: Runtime>() -> Context<R> {
    tauri::generate_context!()
}

/// Puts the app together over `world`: its commands, its state, its window. The window opens first; the data folder is
/// opened beside it, and no keychain and no network is touched.
pub fn build<R: Runtime>(
    builder: Builder<R>,
    context: Context<R>,
    world: World,
    launch: &Launch,
) -> anyhow::Result<App<R>> {
    let quit_when_painted = launch.quit_when_painted;
    let app = builder
        .invoke_handler(commands::handler())
        .setup(move |app| {
            app.manage(Shell::new(world, Push::to_main_window(app.handle().clone())));
            let handle = app.handle().clone();
            tauri::async_runtime::spawn(async move {
                // A failure is kept and told to whoever asks.
                let _ = handle.state::<Shell>().desk().await;
            });
            window::open_main_window(app, quit_when_painted)?;
            Ok(())
        })
        .build(context)?;
    Ok(app)
}
