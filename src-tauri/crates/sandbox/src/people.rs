//! Invented people: names in ten scripts, companies, e-mails. Owns variety; every domain is reserved for
//! examples, so no e-mail can reach anybody.

use crate::dice::Dice;

/// One invented person.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) email: String,
    pub(crate) company: Option<String>,
    pub(crate) job_title: Option<String>,
}

type Pair = (&'static str, &'static str);

/// (first name, spelled in ASCII), (last name, spelled in ASCII)
struct Script {
    first: &'static [Pair],
    last: &'static [Pair],
}

const SCRIPTS: &[Script] = &[
    Script {
        first: &[
            ("Imani", "imani"),
            ("Robin", "robin"),
            ("Sol", "sol"),
            ("Ada", "ada"),
            ("Tomás", "tomas"),
            ("Žofie", "zofie"),
            ("Bjørn", "bjorn"),
            ("Siân", "sian"),
            ("Owen", "owen"),
            ("Maeve", "maeve"),
        ],
        last: &[
            ("Okoro", "okoro"),
            ("Vale", "vale"),
            ("Reyes", "reyes"),
            ("Lindqvist", "lindqvist"),
            ("O'Brien", "obrien"),
            ("Nguyễn", "nguyen"),
            ("Müller-Groß", "muller"),
            ("de la Cruz", "delacruz"),
            ("Łukaszewski", "lukaszewski"),
            ("Harbour", "harbour"),
        ],
    },
    Script {
        first: &[("Ελένη", "eleni"), ("Γιώργος", "giorgos"), ("Αθηνά", "athina")],
        last: &[
            ("Παπαδοπούλου", "papadopoulou"),
            ("Νικολάου", "nikolaou"),
            ("Λιμάνης", "limanis"),
        ],
    },
    Script {
        first: &[("Олена", "olena"), ("Дмитро", "dmytro"), ("Милица", "milica")],
        last: &[
            ("Шевченко", "shevchenko"),
            ("Пристанская", "pristan"),
            ("Јовановић", "jovanovic"),
        ],
    },
    Script {
        first: &[
            ("美咲", "misaki"),
            ("伟", "wei"),
            ("지우", "jiwoo"),
            ("ゆい", "yui"),
        ],
        last: &[("佐藤", "sato"), ("王", "wang"), ("김", "kim"), ("港", "minato")],
    },
    Script {
        first: &[("ليلى", "layla"), ("عمر", "omar"), ("نور", "nour")],
        last: &[("الحداد", "haddad"), ("المينائي", "minai"), ("منصور", "mansour")],
    },
    Script {
        first: &[("נועה", "noa"), ("איתי", "itai")],
        last: &[("כהן", "cohen"), ("בן־נמל", "bennamal")],
    },
    Script {
        first: &[("प्रिया", "priya"), ("अर्जुन", "arjun")],
        last: &[("शर्मा", "sharma"), ("बंदरगाहे", "bandargahe")],
    },
    Script {
        first: &[("Mia 🎪", "mia"), ("👩🏽‍🚀 Zoë", "zoe"), ("🦀", "crab")],
        last: &[("Fernández 🌊", "fernandez"), ("Quay 🏴󠁧󠁢󠁳󠁣󠁴󠁿", "quay")],
    },
    Script {
        // Combining marks instead of ready-made letters: equal to the eye, not to the byte.
        first: &[
            ("Zoe\u{308}", "zoe"),
            ("A\u{30a}sa", "asa"),
            ("Jose\u{301}", "jose"),
        ],
        last: &[("Fu\u{308}rst", "furst"), ("N\u{303}an\u{303}ez", "nanez")],
    },
    Script {
        first: &[("สมชาย", "somchai"), ("ნინო", "nino")],
        last: &[("ท่าเรือ", "tharuea"), ("ბერიძე", "beridze")],
    },
];

const COMPANIES: &[&str] = &[
    "Tidewater Studio",
    "Quay & Sons Ltd.",
    "Hafenwerk GmbH",
    "株式会社みなと",
    "Мастерня «Причал»",
    "Ropewalk \"Collective\"",
    "Salt, Tar & Timber",
    "Lighthouse <Labs>",
    "شركة الميناء",
    "Dock Five",
];

const JOB_TITLES: &[&str] = &[
    "Engineer",
    "Boatwright",
    "Organiser",
    "Teacher",
    "設計者",
    "Volunteer",
];
const DOMAINS: &[&str] = &[
    "tide.example",
    "quay.example",
    "mail.harbour.example",
    "dock.example.net",
    "example.org",
];

/// The `number`-th person of a world; its e-mail is unique to that number.
pub(crate) fn person(dice: &mut Dice, number: u64) -> Person {
    // Half of the people write Latin, the others share the remaining scripts.
    let script = if dice.happens(1, 2) {
        &SCRIPTS[0]
    } else {
        dice.pick(&SCRIPTS[1..])
    };
    let (first_name, first_ascii) = *dice.pick(script.first);
    let (last_name, last_ascii) = *dice.pick(script.last);
    let mut email = format!("{first_ascii}.{last_ascii}.{number}@{}", dice.pick(DOMAINS));
    if dice.happens(3, 100) {
        email = email.to_uppercase();
    } else if dice.happens(3, 200) {
        email = format!("  {email} ");
    }
    let company = dice.happens(2, 5).then(|| (*dice.pick(COMPANIES)).to_owned());
    let job_title = dice.happens(1, 4).then(|| (*dice.pick(JOB_TITLES)).to_owned());
    Person {
        first_name: first_name.to_owned(),
        last_name: last_name.to_owned(),
        email,
        company,
        job_title,
    }
}
