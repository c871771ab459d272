//! Which crate may use which: the layers of docs/ARCHITECTURE.md, proved on cargo's own tree for every system.

use anyhow::bail;

use super::Outcome;
use crate::process;
use crate::repository::Repository;

/// What one of our packages must not depend on, directly or through another.
struct Rule {
    package: &'static str,
    /// Names, or beginnings of names when they end with `*`.
    forbidden: &'static [&'static str],
    /// What is allowed although a beginning forbids it.
    except: &'static [&'static str],
    reason: &'static str,
}

const RULES: [Rule; 6] = [
    Rule {
        package: "talkvalue-core",
        forbidden: &[
            "talkvalue-*",
            "tauri*",
            "rusqlite*",
            "libsqlite3-sys",
            "sqlx*",
            "reqwest*",
            "hyper*",
            "keyring*",
            "*-keyring-store",
            "oauth2",
            "openidconnect",
        ],
        except: &["talkvalue-core"],
        reason: "the core decides and reaches the world through ports only",
    },
    Rule {
        package: "talkvalue-adapters",
        forbidden: &["talkvalue-*", "tauri*", "wry", "tao"],
        except: &["talkvalue-adapters", "talkvalue-core"],
        reason: "adapters serve the command line as well, which has no window",
    },
    Rule {
        package: "talkvalue-cli",
        forbidden: &["talkvalue-sandbox", "talkvalue-sync", "tauri*", "wry", "tao"],
        except: &[],
        reason: "tvsync works where there is no screen, and ships without simulated providers",
    },
    Rule {
        package: "talkvalue-sync",
        forbidden: &["talkvalue-sandbox", "talkvalue-cli", "sqlx*"],
        except: &[],
        reason: "the app ships without simulated providers, and with one SQLite",
    },
    Rule {
        package: "talkvalue-sandbox",
        forbidden: &["talkvalue-*"],
        except: &["talkvalue-sandbox"],
        reason: "the simulator must not share a mistake with what it tests",
    },
    Rule {
        package: "xtask",
        forbidden: &["talkvalue-*"],
        except: &[],
        reason: "it is compiled before anything else can be built",
    },
];

pub(super) fn check(repository: &Repository) -> anyhow::Result<Outcome> {
    let mut broken = Vec::new();
    for rule in &RULES {
        let tree = process::capture(&mut repository.cargo(&tree_of(rule.package)))?;
        let offenders = offenders(rule, &tree);
        println!(
            "{:<20} {}",
            rule.package,
            if offenders.is_empty() {
                "as it should be"
            } else {
                "BROKEN"
            }
        );
        for offender in offenders {
            println!(
                "  {} must not depend on {offender}: {}. It does by this way:",
                rule.package, rule.reason
            );
            let mut arguments = tree_of(rule.package);
            arguments.extend(["--invert", offender]);
            process::run(&mut repository.cargo(&arguments))?;
            broken.push(format!("{} on {offender}", rule.package));
        }
    }
    if broken.is_empty() {
        return Ok(Outcome::Passed);
    }
    bail!("forbidden dependencies: {}", broken.join(", "))
}

/// Without development dependencies: tests may use what the shipped program must not.
fn tree_of(package: &str) -> Vec<&str> {
    vec![
        "tree",
        "--locked",
        "--edges",
        "normal",
        "--target",
        "all",
        "--package",
        package,
    ]
}

/// The packages of a `cargo tree` that the rule forbids, each once.
fn offenders<'a>(rule: &Rule, tree: &'a str) -> Vec<&'a str> {
    let mut found = Vec::new();
    for line in tree.lines() {
        // "│   ├── name v1.2.3 (…)": the name is the first word after the lines drawn before it.
        let name = line
            .trim_start_matches([' ', '│', '├', '└', '─'])
            .split(' ')
            .next()
            .unwrap_or_default();
        let forbidden = rule.forbidden.iter().any(|pattern| matches(pattern, name));
        if forbidden && !rule.except.contains(&name) && !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

fn matches(pattern: &str, name: &str) -> bool {
    if let Some(beginning) = pattern.strip_suffix('*') {
        return name.starts_with(beginning);
    }
    if let Some(end) = pattern.strip_prefix('*') {
        return name.ends_with(end);
    }
    pattern == name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule_of(package: &str) -> &'static Rule {
        RULES.iter().find(|rule| rule.package == package).unwrap()
    }

    #[test]
    fn core_that_reaches_the_network_is_red() {
        let tree = "talkvalue-core v0.1.0 (/clone)\n├── serde v1.0.228\n│   └── reqwest v0.13.1\n└── tauri-utils v2.1.0\n";
        assert_eq!(
            offenders(rule_of("talkvalue-core"), tree),
            ["reqwest", "tauri-utils"],
            "at every depth"
        );
    }

    #[test]
    fn each_layer_may_use_the_one_below() {
        let tree = "talkvalue-adapters v0.1.0\n└── talkvalue-core v0.1.0\n";
        assert!(
            offenders(rule_of("talkvalue-adapters"), tree).is_empty(),
            "adapters implement the core's ports"
        );
        let tree = "talkvalue-cli v0.1.0\n├── talkvalue-adapters v0.1.0\n└── talkvalue-core v0.1.0\n";
        assert!(
            offenders(rule_of("talkvalue-cli"), tree).is_empty(),
            "tvsync puts core and adapters together"
        );
    }

    #[test]
    fn shipped_programs_hold_no_simulator() {
        for package in ["talkvalue-cli", "talkvalue-sync"] {
            let tree = format!("{package} v0.1.0\n└── talkvalue-sandbox v0.1.0\n");
            assert_eq!(
                offenders(rule_of(package), &tree),
                ["talkvalue-sandbox"],
                "{package}"
            );
        }
    }

    #[test]
    fn sandbox_shares_nothing_with_us() {
        let tree = "talkvalue-sandbox v0.1.0\n└── talkvalue-core v0.1.0\n";
        assert_eq!(
            offenders(rule_of("talkvalue-sandbox"), tree),
            ["talkvalue-core"],
            "not even the core's types"
        );
    }
}
