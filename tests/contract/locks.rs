//! The locks: one holder, freed by the OS, readers undisturbed.

use talkvalue_adapters::data_folder::DataFolder;
use talkvalue_core::ports::Locks;

#[test]
fn one_holds_the_sync_lock_until_it_lets_go() {
    let path = tempfile::tempdir().unwrap();
    let (one, other) = (
        DataFolder::open(path.path()).unwrap(),
        DataFolder::open(path.path()).unwrap(),
    );
    assert!(!one.sync_is_held());
    let held = one.try_sync().unwrap();
    assert!(held.is_some());
    assert!(
        other.try_sync().unwrap().is_none(),
        "two writers would tear the list"
    );
    assert!(other.sync_is_held());
    assert!(
        other.try_credentials().unwrap().is_some(),
        "connecting needs no sync lock"
    );
    drop(held);
    assert!(!other.sync_is_held());
    assert!(other.try_sync().unwrap().is_some());
}

#[test]
fn readers_that_look_do_not_disturb_each_other() {
    let path = tempfile::tempdir().unwrap();
    let folder = DataFolder::open(path.path()).unwrap();
    let lookers: Vec<_> = (0..8)
        .map(|_| {
            let folder = folder.clone();
            std::thread::spawn(move || (0..200).all(|_| !folder.sync_is_held()))
        })
        .collect();
    for looker in lookers {
        assert!(
            looker.join().unwrap(),
            "nobody holds the lock, so nobody may be seen holding it"
        );
    }
}
