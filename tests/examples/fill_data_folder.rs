//! Fills a data folder with lists that synced a moment ago, for measuring the window's start: one account, 1,000 events,
//! 30 people each. `cargo run -p talkvalue-tests --example fill_data_folder -- DIR`

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let folder = std::env::args_os().nth(1).expect("the folder to fill");
    talkvalue_tests::filled::fill(folder.as_ref(), 1_000, 30).await;
}
