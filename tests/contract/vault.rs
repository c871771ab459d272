//! The vault's promises, against the mock keychain with its settable errors and, on Linux, against a real one.

use keyring::{CredentialStore, Error};
use secrecy::{ExposeSecret, SecretString};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use talkvalue_adapters::vault::{Deadlines, KeychainVault};
use talkvalue_core::domain::credential::{Credential, Generation, SignIn};
use talkvalue_core::domain::ids::IntegrationId;
use talkvalue_core::domain::provider::{Origin, Origins};
use talkvalue_core::ports::{Patience, Vault, VaultError};

fn credential(secret: &str, generation: u64) -> Credential {
    let origin = |text: &str| Origin::parse(text).unwrap();
    Credential {
        sign_in: SignIn::Key,
        secret: SecretString::from(secret.to_owned()),
        origins: Origins {
            api: origin("https://api.example"),
            oauth: origin("https://oauth.example"),
        },
        generation: Generation(generation),
        grant: None,
    }
}

fn mock() -> (Arc<CredentialStore>, KeychainVault) {
    let store: Arc<CredentialStore> = keyring::mock::Store::new().unwrap();
    let own = store.clone();
    (
        store,
        KeychainVault::with_store(
            "contract",
            Arc::new(move || Ok(own.clone())),
            Deadlines::default(),
        ),
    )
}

/// What any keychain must keep.
async fn keeps_its_promises(vault: &dyn Vault) {
    let (one, other) = (IntegrationId::random(), IntegrationId::random());
    assert_eq!(
        vault.load(&one, Patience::Background).await.map(|_| ()),
        Err(VaultError::NotThereYet)
    );
    vault
        .save(&one, &credential("secret-CANARYLUMAone", 1), Patience::Background)
        .await
        .unwrap();
    let loaded = vault.load(&one, Patience::Background).await.unwrap();
    assert_eq!(loaded.secret.expose_secret(), "secret-CANARYLUMAone");
    assert_eq!(loaded.origins.api.as_str(), "https://api.example");
    assert_eq!(loaded.sign_in, SignIn::Key);
    let missing = vault.load(&other, Patience::Background).await.map(|_| ());
    assert_eq!(
        missing,
        Err(VaultError::Missing),
        "a keychain that kept something of ours is there: the entry is not"
    );

    vault
        .save(&one, &credential("secret-CANARYLUMAtwo", 2), Patience::Background)
        .await
        .unwrap();
    vault
        .save(&one, &credential("secret-CANARYLUMAone", 1), Patience::Background)
        .await
        .unwrap();
    let loaded = vault.load(&one, Patience::Background).await.unwrap();
    assert_eq!(
        loaded.generation,
        Generation(2),
        "an older generation never replaces a newer one"
    );

    let long = credential(&"x".repeat(2_561), 3);
    let refused = vault.save(&one, &long, Patience::Background).await;
    assert!(
        matches!(refused, Err(VaultError::TooLarge { limit: 1_900, .. })),
        "{refused:?}"
    );
    let kept = vault.load(&one, Patience::Background).await.unwrap();
    assert_eq!(
        kept.generation,
        Generation(2),
        "what was refused left nothing half-saved"
    );

    vault.erase(&one, Patience::Background).await.unwrap();
    vault.erase(&one, Patience::Background).await.unwrap();
    assert_eq!(
        vault.load(&one, Patience::Background).await.map(|_| ()),
        Err(VaultError::Missing)
    );
}

#[tokio::test]
async fn the_mock_keychain_keeps_its_promises() {
    let (_store, vault) = mock();
    keeps_its_promises(&vault).await;
}

#[tokio::test]
async fn a_broken_connection_is_opened_anew() {
    let opened = Arc::new(AtomicUsize::new(0));
    let store: Arc<CredentialStore> = keyring::mock::Store::new().unwrap();
    let (own, count) = (store.clone(), opened.clone());
    let open = move || {
        count.fetch_add(1, Ordering::SeqCst);
        Ok(own.clone())
    };
    let vault = KeychainVault::with_store("contract", Arc::new(open), Deadlines::default());
    let id = IntegrationId::random();
    vault
        .save(&id, &credential("CANARY", 1), Patience::Background)
        .await
        .unwrap();
    let entry = store.build("contract", id.as_str(), None).unwrap();
    let cred: &keyring::mock::Cred = entry.as_any().downcast_ref().unwrap();
    cred.set_error(Error::PlatformFailure("the session is gone".into()));
    let loaded = vault.load(&id, Patience::Background).await.unwrap();
    assert_eq!(
        loaded.generation,
        Generation(1),
        "a restarted keychain costs nobody a sign-in"
    );
    assert_eq!(
        opened.load(Ordering::SeqCst),
        2,
        "once at first, once after the error"
    );
}

#[tokio::test]
async fn a_refusal_of_access_is_a_lock_and_not_a_loss() {
    let (store, vault) = mock();
    let id = IntegrationId::random();
    vault
        .save(&id, &credential("CANARY", 1), Patience::Background)
        .await
        .unwrap();
    let entry = store.build("contract", id.as_str(), None).unwrap();
    let cred: &keyring::mock::Cred = entry.as_any().downcast_ref().unwrap();
    cred.set_error(Error::NoStorageAccess("locked".into()));
    let refused = vault.load(&id, Patience::Background).await.map(|_| ());
    if cfg!(target_os = "linux") {
        assert_eq!(refused, Err(VaultError::Locked));
    } else {
        // Elsewhere it names a keychain that is not there, and the next one is asked at once.
        assert_eq!(refused, Ok(()));
    }
    assert!(
        vault.load(&id, Patience::Background).await.is_ok(),
        "unlocked, it goes on by itself"
    );
}

#[tokio::test]
async fn a_keychain_that_hangs_is_left_alone_after_three_threads_and_taken_up_when_it_returns() {
    let store: Arc<CredentialStore> = keyring::mock::Store::new().unwrap();
    let (gate_in, gate) = std::sync::mpsc::channel::<()>();
    let (gate, opened) = (
        Arc::new(std::sync::Mutex::new(gate)),
        Arc::new(AtomicUsize::new(0)),
    );
    let count = opened.clone();
    let open = move || {
        // Hangs until the test lets one through; once the test has let go of the gate, it answers at once.
        count.fetch_add(1, Ordering::SeqCst);
        let _ = gate.lock().unwrap().recv();
        Ok(store.clone())
    };
    let deadlines = Deadlines {
        background: Duration::from_millis(50),
        person_asked: Duration::from_millis(50),
        ..Deadlines::default()
    };
    let vault = KeychainVault::with_store("contract", Arc::new(open), deadlines);
    let id = IntegrationId::random();
    for _ in 0..6 {
        let result = vault.load(&id, Patience::Background).await.map(|_| ());
        assert!(
            matches!(result, Err(VaultError::Unavailable { .. })),
            "a hang is no loss: {result:?}"
        );
    }
    assert_eq!(
        opened.load(Ordering::SeqCst),
        3,
        "no more than three threads are spent on a keychain that hangs"
    );
    drop(gate_in);
    // The abandoned threads come back one by one; until then the answer stays the same.
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    loop {
        match vault.load(&id, Patience::Background).await.map(|_| ()) {
            Err(VaultError::NotThereYet) => break,
            other => assert!(
                std::time::Instant::now() < deadline,
                "it never came back: {other:?}"
            ),
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_was_given_up_is_not_saved_when_the_prompt_is_answered_later() {
    let store: Arc<CredentialStore> = keyring::mock::Store::new().unwrap();
    let (answer, prompt) = std::sync::mpsc::channel::<()>();
    let (own, prompt, is_open) = (
        store.clone(),
        Mutex::new(Some(prompt)),
        Arc::new(AtomicBool::new(false)),
    );
    let opened = is_open.clone();
    let open = move || {
        let store = own.clone();
        let shown = prompt.lock().unwrap().take();
        if let Some(prompt) = shown {
            // An error says that it was answered.
            let _ = prompt.recv();
            opened.store(true, Ordering::SeqCst);
        }
        Ok(store)
    };
    let deadlines = Deadlines {
        person_asked: Duration::from_millis(60),
        ..Deadlines::default()
    };
    let vault = KeychainVault::with_store("contract", Arc::new(open), deadlines);
    let id = IntegrationId::random();
    let sign_in = credential("secret-CANARYLUMAlate", 1);
    let told = vault.save(&id, &sign_in, Patience::PersonAsked).await;
    assert!(matches!(told, Err(VaultError::Unavailable { .. })), "{told:?}");
    drop(answer);
    // The thread that was left behind goes on, and lets go of the keychain when it has ended.
    let has_ended = async {
        while !is_open.load(Ordering::SeqCst) || Arc::strong_count(&store) > 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), has_ended)
        .await
        .unwrap();
    assert_eq!(
        vault.load(&id, Patience::Background).await.map(|_| ()),
        Err(VaultError::NotThereYet),
        "who was told that nothing was saved finds nothing saved"
    );
}

#[tokio::test]
async fn a_prompt_that_nobody_answers_keeps_no_background_call_waiting() {
    let store: Arc<CredentialStore> = keyring::mock::Store::new().unwrap();
    let (gate_in, gate) = std::sync::mpsc::channel::<()>();
    let gate = std::sync::Mutex::new(gate);
    let open = move || {
        // As long as the prompt is open.
        let _ = gate.lock().unwrap().recv();
        Ok(store.clone())
    };
    let deadlines = Deadlines {
        background: Duration::from_millis(50),
        person_asked: Duration::from_secs(600),
        ..Deadlines::default()
    };
    let vault = Arc::new(KeychainVault::with_store("contract", Arc::new(open), deadlines));
    let id = IntegrationId::random();
    let (asking, asked_for) = (vault.clone(), id.clone());
    let person =
        tokio::spawn(async move { asking.load(&asked_for, Patience::PersonAsked).await.map(|_| ()) });
    // It has the turn once it was polled; then the other one comes.
    tokio::task::yield_now().await;
    let background = tokio::time::timeout(Duration::from_secs(60), vault.load(&id, Patience::Background))
        .await
        .expect("a background call ends by its own deadline, not by that of the prompt before it")
        .map(|_| ());
    assert!(
        matches!(background, Err(VaultError::Unavailable { .. })),
        "{background:?}"
    );
    assert!(!person.is_finished(), "the prompt is still open");
    drop(gate_in);
    assert!(
        matches!(person.await.unwrap(), Err(VaultError::NotThereYet)),
        "and is taken up when somebody answers"
    );
}

/// A keychain that says whether it is locked once it is let through the gate, and how often it was asked.
fn with_gate(deadlines: Deadlines) -> (KeychainVault, std::sync::mpsc::Sender<()>, Arc<AtomicUsize>) {
    let store: Arc<CredentialStore> = keyring::mock::Store::new().unwrap();
    let (gate_in, gate) = std::sync::mpsc::channel::<()>();
    let (gate, asked) = (std::sync::Mutex::new(gate), Arc::new(AtomicUsize::new(0)));
    let count = asked.clone();
    let is_locked = move || {
        count.fetch_add(1, Ordering::SeqCst);
        // An error means that the test has opened the gate for good.
        let _ = gate.lock().unwrap().recv();
        Some(true)
    };
    let vault = KeychainVault::with_store("contract", Arc::new(move || Ok(store.clone())), deadlines)
        .with_lock_state(Arc::new(is_locked));
    (vault, gate_in, asked)
}

#[tokio::test]
async fn a_keychain_that_never_says_whether_it_is_locked_costs_one_thread() {
    let (vault, gate, asked) = with_gate(Deadlines {
        lock_state: Duration::from_millis(50),
        ..Deadlines::default()
    });
    let id = IntegrationId::random();
    for _ in 0..40 {
        assert_eq!(
            vault.load(&id, Patience::Background).await.map(|_| ()),
            Err(VaultError::NotThereYet),
            "what cannot be told keeps nobody from asking for the entry"
        );
    }
    assert!(
        asked.load(Ordering::SeqCst) <= 1,
        "a question that hangs is not asked again beside itself"
    );
    drop(gate);
    // Its thread comes back at some moment; from then on the keychain is asked again, and believed.
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while vault.load(&id, Patience::Background).await.map(|_| ()) != Err(VaultError::Locked) {
        assert!(std::time::Instant::now() < deadline, "it is never asked again");
        tokio::task::yield_now().await;
    }
    assert!(asked.load(Ordering::SeqCst) >= 2);
}

#[tokio::test]
async fn who_asks_while_the_keychain_is_being_asked_gets_the_same_answer() {
    let (vault, gate, asked) = with_gate(Deadlines {
        lock_state: Duration::from_secs(600),
        ..Deadlines::default()
    });
    let (vault, id) = (Arc::new(vault), IntegrationId::random());
    let both: Vec<_> = (0..2)
        .map(|_| {
            let (vault, id) = (vault.clone(), id.clone());
            tokio::spawn(async move { vault.load(&id, Patience::Background).await.map(|_| ()) })
        })
        .collect();
    // Each has asked once it was polled.
    tokio::task::yield_now().await;
    drop(gate);
    for one in both {
        assert_eq!(
            one.await.unwrap(),
            Err(VaultError::Locked),
            "neither may raise a prompt that nobody asked for"
        );
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

/// Run by the test below, inside a private session with a real keychain; under Wine by `cargo xtask check-windows`.
#[cfg(any(target_os = "linux", windows))]
#[tokio::test]
#[ignore = "needs a session of its own: the_real_keychain_keeps_its_promises runs it in one"]
async fn inside_a_session_the_real_keychain_keeps_its_promises() {
    let vault = KeychainVault::native("com.talkvalue.sync.contract");
    keeps_its_promises(&vault).await;
}

#[cfg(target_os = "linux")]
#[test]
fn the_real_keychain_keeps_its_promises() {
    use talkvalue_sandbox::keychain::{KeychainState, PrivateKeychain};
    let keychain = PrivateKeychain::start(KeychainState::Unlocked).unwrap();
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    keychain.apply_to(&mut command);
    command.args([
        "--ignored",
        "--exact",
        "vault::inside_a_session_the_real_keychain_keeps_its_promises",
    ]);
    let output = command.output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && printed.contains("1 passed"),
        "{printed}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
