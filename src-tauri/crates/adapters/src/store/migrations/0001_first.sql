-- Times are microseconds since 1970 UTC. Codes are repeated here as CHECKs: a defect of ours fails loudly and writes
-- nothing. `cell_sum` is ours (store/sums.rs): a row's checksum finds a flipped bit in it where no seal does.

CREATE TABLE integration (
    id               TEXT PRIMARY KEY NOT NULL,
    provider         TEXT NOT NULL CHECK (provider IN ('EVENTBRITE', 'LUMA')),
    api_origin       TEXT NOT NULL,
    account_id       TEXT NOT NULL CHECK (account_id <> ''),
    account_name     TEXT NOT NULL,
    account_email    TEXT,
    sign_in          TEXT NOT NULL CHECK (sign_in IN ('OAUTH', 'TOKEN', 'KEY')),
    generation       INTEGER NOT NULL CHECK (generation >= 1),
    connected_at     INTEGER NOT NULL,
    last_verified_at INTEGER,
    expires_at       INTEGER,
    severed_code     TEXT CHECK (severed_code IN ('CREDENTIALS_REJECTED', 'CREDENTIALS_MISSING', 'DISCONNECTED_BY_YOU')),
    severed_at       INTEGER,
    severed_detail   TEXT,
    sum INTEGER NOT NULL GENERATED ALWAYS AS (cell_sum(
        id, provider, api_origin, account_id, account_name, account_email, sign_in, generation, connected_at,
        last_verified_at, expires_at, severed_code, severed_at, severed_detail
    )) STORED,
    CHECK ((severed_code IS NULL) = (severed_at IS NULL)),
    UNIQUE (provider, account_id, api_origin)
) STRICT;

-- A renewal that was begun and has not ended: whether the provider gave out a successor is not known. No secret.
CREATE TABLE renewal (
    integration_id TEXT PRIMARY KEY NOT NULL REFERENCES integration (id) ON DELETE CASCADE,
    generation     INTEGER NOT NULL CHECK (generation >= 1),
    at             INTEGER NOT NULL,
    sum INTEGER NOT NULL GENERATED ALWAYS AS (cell_sum(integration_id, generation, at)) STORED
) STRICT;

CREATE TABLE feed (
    key            INTEGER PRIMARY KEY,
    id             TEXT NOT NULL UNIQUE,
    provider       TEXT NOT NULL CHECK (provider IN ('EVENTBRITE', 'LUMA')),
    api_origin     TEXT NOT NULL,
    -- EVENT: the registrations of one event. EVENT_LIST: the events of an organization or calendar; it has no rows.
    kind           TEXT NOT NULL CHECK (kind IN ('EVENT', 'EVENT_LIST')),
    external_id    TEXT NOT NULL CHECK (external_id <> ''),
    -- The provider's clock at the start of the last complete read.
    last_synced_at INTEGER,
    -- Changes up to here are stored, in the provider's times of change; NULL where it tells none.
    watermark      INTEGER,
    -- When everything was last read, rather than what changed.
    reconciled_at  INTEGER,
    -- When a complete read of it last succeeded, by this computer's clock.
    checked_at     INTEGER,
    -- When somebody last looked for what is new without reading everything.
    looked_at      INTEGER,
    -- Registrations that came after the last complete read and were met by such a look.
    new_since      INTEGER NOT NULL DEFAULT 0 CHECK (new_since >= 0),
    -- How many requests the last read of everything took.
    walk_pages     INTEGER CHECK (walk_pages >= 0),
    -- What the provider counted otherwise even after it (JSON).
    tolerated_gap  TEXT,
    -- The Eventbrite organization of the event.
    organization   TEXT,
    -- No walk over that organization reads it until then.
    alone_until    INTEGER,
    -- When the event itself was last asked for.
    described_at   INTEGER,
    -- One more with every page that changed a row: two readings of the same revision are the same rows.
    revision       INTEGER NOT NULL DEFAULT 0,
    sum INTEGER NOT NULL GENERATED ALWAYS AS (cell_sum(
        key, id, provider, api_origin, kind, external_id, last_synced_at, watermark, reconciled_at, checked_at,
        looked_at, new_since, walk_pages, tolerated_gap, organization, alone_until, described_at, revision
    )) STORED,
    UNIQUE (provider, api_origin, kind, external_id)
) STRICT;
CREATE INDEX feed_by_organization ON feed (organization) WHERE organization IS NOT NULL;

CREATE TABLE item (
    id                  TEXT PRIMARY KEY NOT NULL,
    kind                TEXT NOT NULL CHECK (kind IN ('BADGE_EVENT', 'PATH_EVENT', 'PATH_CHANNEL')),
    provider            TEXT NOT NULL CHECK (provider IN ('EVENTBRITE', 'LUMA')),
    api_origin          TEXT NOT NULL,
    external_id         TEXT NOT NULL CHECK (external_id <> ''),
    integration_id      TEXT NOT NULL REFERENCES integration (id),
    feed                INTEGER NOT NULL REFERENCES feed (key),
    title               TEXT,
    starts_at           INTEGER,
    ends_at             INTEGER,
    timezone            TEXT,
    archived            INTEGER NOT NULL DEFAULT 0 CHECK (archived IN (0, 1)),
    created_at          INTEGER NOT NULL,
    severed_code        TEXT CHECK (severed_code IN ('CREDENTIALS_REJECTED', 'CREDENTIALS_MISSING', 'DISCONNECTED_BY_YOU')),
    severed_at          INTEGER,
    severed_detail      TEXT,
    last_failure_code   TEXT CHECK (last_failure_code IN (
        'OFFLINE', 'PROVIDER_UNREACHABLE', 'NETWORK_SIGN_IN', 'RATE_LIMITED', 'APP_REJECTED', 'PLAN_REQUIRED',
        'PERMISSION_MISSING', 'REMOTE_GONE', 'PROVIDER_CHANGED', 'VAULT_LOCKED', 'VAULT_UNAVAILABLE',
        'VAULT_WRITE_FAILED', 'STORAGE_FAILED', 'INTERRUPTED', 'IMPORT_CANCELLED')),
    last_failure_at     INTEGER,
    last_failure_detail TEXT,
    last_attempted_at   INTEGER,
    sum INTEGER NOT NULL GENERATED ALWAYS AS (cell_sum(
        id, kind, provider, api_origin, external_id, integration_id, feed, title, starts_at, ends_at, timezone,
        archived, created_at, severed_code, severed_at, severed_detail, last_failure_code, last_failure_at,
        last_failure_detail, last_attempted_at
    )) STORED,
    CHECK ((severed_code IS NULL) = (severed_at IS NULL)),
    CHECK ((last_failure_code IS NULL) = (last_failure_at IS NULL)),
    UNIQUE (provider, api_origin, external_id, kind)
) STRICT;
CREATE INDEX item_by_feed ON item (feed);
CREATE INDEX item_by_integration ON item (integration_id);

-- The events of a Path channel.
CREATE TABLE member (
    item      TEXT NOT NULL REFERENCES item (id) ON DELETE CASCADE,
    feed      INTEGER NOT NULL REFERENCES feed (key),
    title     TEXT NOT NULL,
    starts_at INTEGER,
    ends_at   INTEGER,
    timezone  TEXT,
    -- When it was found to be gone at the provider: its rows are kept, it is read no more.
    closed_at INTEGER,
    sum INTEGER NOT NULL GENERATED ALWAYS AS (cell_sum(
        item, feed, title, starts_at, ends_at, timezone, closed_at
    )) STORED,
    PRIMARY KEY (item, feed)
) STRICT, WITHOUT ROWID;
CREATE INDEX member_by_feed ON member (feed);

-- Every feed that an item shows rows of.
CREATE VIEW shown (item, feed) AS
    SELECT id, feed FROM item UNION ALL SELECT item, feed FROM member;

CREATE TABLE job (
    id            TEXT PRIMARY KEY NOT NULL,
    item_id       TEXT NOT NULL REFERENCES item (id) ON DELETE CASCADE,
    kind          TEXT NOT NULL CHECK (kind IN ('IMPORT', 'RETRY', 'RECONNECT', 'SYNC')),
    created_at    INTEGER NOT NULL,
    done          INTEGER NOT NULL DEFAULT 0 CHECK (done >= 0),
    total         INTEGER CHECK (total >= 0),
    -- Rows of the change journal that it wrote.
    changes       INTEGER NOT NULL DEFAULT 0 CHECK (changes >= 0),
    waiting_code  TEXT,
    waiting_until INTEGER,
    -- Kept after a condition ended its command.
    held          INTEGER NOT NULL DEFAULT 0 CHECK (held IN (0, 1)),
    -- Left by a process without the turn for the one that has it.
    handed        INTEGER NOT NULL DEFAULT 0 CHECK (handed IN (0, 1)),
    -- A person wants it to stop.
    cancel_asked  INTEGER NOT NULL DEFAULT 0 CHECK (cancel_asked IN (0, 1)),
    ended_at      INTEGER,
    end_code      TEXT CHECK (end_code IN ('COMPLETED', 'FAILED', 'INTERRUPTED', 'CANCELLED')),
    failure_code  TEXT,
    sum INTEGER NOT NULL GENERATED ALWAYS AS (cell_sum(
        id, item_id, kind, created_at, done, total, changes, waiting_code, waiting_until, held, handed, cancel_asked,
        ended_at, end_code, failure_code
    )) STORED,
    CHECK ((ended_at IS NULL) = (end_code IS NULL))
) STRICT;
-- One open job per item, whatever happens.
CREATE UNIQUE INDEX job_open ON job (item_id) WHERE ended_at IS NULL;
CREATE INDEX job_by_item ON job (item_id, created_at);

CREATE TABLE registration (
    feed               INTEGER NOT NULL REFERENCES feed (key),
    external_id        TEXT NOT NULL CHECK (external_id <> ''),
    -- Joins a person's registrations: trimmed lower-cased e-mail, else the registration itself.
    person_key         TEXT NOT NULL,
    name               TEXT,
    email              TEXT,
    company            TEXT,
    ticket_type        TEXT,
    status             TEXT NOT NULL CHECK (status IN ('ATTENDING', 'AWAITING', 'NOT_ATTENDING')),
    provider_status    TEXT NOT NULL,
    checked_in_at      INTEGER,
    order_id           TEXT,
    registered_at      INTEGER,
    updated_at         INTEGER,
    tickets            INTEGER NOT NULL CHECK (tickets >= 0),
    tickets_checked_in INTEGER NOT NULL CHECK (tickets_checked_in BETWEEN 0 AND tickets),
    version            INTEGER NOT NULL,
    sum INTEGER NOT NULL GENERATED ALWAYS AS (cell_sum(
        feed, external_id, person_key, name, email, company, ticket_type, status, provider_status, checked_in_at,
        order_id, registered_at, updated_at, tickets, tickets_checked_in, version
    )) STORED,
    PRIMARY KEY (feed, external_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX registration_by_person ON registration (feed, person_key, external_id);
-- Of providers that tell times of change.
CREATE INDEX registration_by_change ON registration (feed, updated_at) WHERE updated_at IS NOT NULL;

-- A full walk that was begun and has not become a complete read: whichever job reads the feed next goes on with it.
CREATE TABLE walk (
    feed        INTEGER PRIMARY KEY REFERENCES feed (key),
    -- The provider's clock when it began.
    as_of       INTEGER NOT NULL,
    -- In the provider adapter's terms: what fetched the last page that is stored, and what fetches the one after it
    -- (NULL: there is none).
    place       TEXT,
    next        TEXT,
    -- The provider's own counts on the first page and on the last one read.
    first_count INTEGER CHECK (first_count >= 0),
    last_count  INTEGER CHECK (last_count >= 0),
    sum INTEGER NOT NULL GENERATED ALWAYS AS (cell_sum(feed, as_of, place, next, first_count, last_count)) STORED
) STRICT;

-- What that walk has listed so far.
CREATE TABLE listed (
    feed   INTEGER NOT NULL REFERENCES feed (key),
    record TEXT NOT NULL,
    sum INTEGER NOT NULL GENERATED ALWAYS AS (cell_sum(feed, record)) STORED,
    PRIMARY KEY (feed, record)
) STRICT, WITHOUT ROWID;

-- Registrations that are expected and that the last complete walk did not list.
CREATE TABLE missing (
    feed         INTEGER NOT NULL REFERENCES feed (key),
    registration TEXT NOT NULL,
    -- When the walk began that missed it first, by the provider's clock.
    since        INTEGER NOT NULL,
    -- HELD: a person is asked. KEPT: a person keeps it in the list.
    state        TEXT NOT NULL CHECK (state IN ('CANDIDATE', 'HELD', 'KEPT')),
    sum INTEGER NOT NULL GENERATED ALWAYS AS (cell_sum(feed, registration, since, state)) STORED,
    PRIMARY KEY (feed, registration)
) STRICT, WITHOUT ROWID;

-- An item's numbers as they were at a revision of its feed: counted again only after a change.
CREATE TABLE counted (
    item               TEXT PRIMARY KEY NOT NULL REFERENCES item (id) ON DELETE CASCADE,
    revision           INTEGER NOT NULL,
    total              INTEGER NOT NULL,
    attending          INTEGER NOT NULL,
    awaiting           INTEGER NOT NULL,
    not_attending      INTEGER NOT NULL,
    checked_in         INTEGER NOT NULL,
    tickets            INTEGER NOT NULL,
    tickets_checked_in INTEGER NOT NULL,
    sum INTEGER NOT NULL GENERATED ALWAYS AS (cell_sum(
        item, revision, total, attending, awaiting, not_attending, checked_in, tickets, tickets_checked_in
    )) STORED,
    CHECK (attending + awaiting + not_attending = total)
) STRICT, WITHOUT ROWID;

-- Records that could not be read: they count as listed.
CREATE TABLE set_aside (
    feed   INTEGER NOT NULL REFERENCES feed (key),
    record TEXT NOT NULL,
    reason TEXT NOT NULL,
    job_id TEXT NOT NULL,
    sum INTEGER NOT NULL GENERATED ALWAYS AS (cell_sum(feed, record, reason, job_id)) STORED,
    PRIMARY KEY (feed, record)
) STRICT, WITHOUT ROWID;

-- The change journal. An insert keeps no copy of the row; an update keeps the fields that changed.
CREATE TABLE change (
    key          INTEGER PRIMARY KEY,
    feed         INTEGER NOT NULL REFERENCES feed (key),
    registration TEXT NOT NULL,
    -- NULL: a person's decision about a held removal.
    job_id       TEXT,
    at           INTEGER NOT NULL,
    change       TEXT NOT NULL CHECK (change IN (
        'REGISTERED', 'UPDATED', 'CANCELLED', 'RESTORED', 'CHECKED_IN', 'CHECK_IN_UNDONE')),
    before       TEXT,
    after        TEXT,
    sum INTEGER NOT NULL GENERATED ALWAYS AS (cell_sum(
        key, feed, registration, job_id, at, change, before, after
    )) STORED
) STRICT;
CREATE INDEX change_by_time ON change (feed, at);

-- What an item's sync status was from when on, and why.
CREATE TABLE status_change (
    key    INTEGER PRIMARY KEY,
    item   TEXT NOT NULL REFERENCES item (id) ON DELETE CASCADE,
    at     INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('PENDING', 'ACTIVE', 'FAILED', 'DISCONNECTED')),
    cause  TEXT,
    sum INTEGER NOT NULL GENERATED ALWAYS AS (cell_sum(key, item, at, status, cause)) STORED
) STRICT;
CREATE INDEX status_change_by_item ON status_change (item, key);

-- What happened to an account's credential.
CREATE TABLE credential_change (
    key         INTEGER PRIMARY KEY,
    integration TEXT NOT NULL REFERENCES integration (id),
    at          INTEGER NOT NULL,
    change      TEXT NOT NULL CHECK (change IN ('CONNECTED', 'RENEWED', 'SEVERED')),
    cause       TEXT,
    sum INTEGER NOT NULL GENERATED ALWAYS AS (cell_sum(key, integration, at, change, cause)) STORED
) STRICT;
CREATE INDEX credential_change_by_integration ON credential_change (integration, key);
