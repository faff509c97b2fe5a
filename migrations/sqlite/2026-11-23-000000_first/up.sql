-- Times are microseconds since 1970 in UTC; ids are 16-byte UUIDv7.

CREATE TABLE forms (
    slug TEXT NOT NULL PRIMARY KEY,
    title TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- A version of the consent wording; never edited, only superseded by a newer one.
CREATE TABLE notices (
    id BLOB NOT NULL PRIMARY KEY,
    form TEXT NOT NULL REFERENCES forms (slug),
    language TEXT NOT NULL,
    wording TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (form, language, sha256)
);

-- One submission each, append-only. `details` is what was typed beside the address, as JSON.
CREATE TABLE signups (
    id BLOB NOT NULL PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('new', 'pending', 'confirmed', 'repeated', 'expired')),
    email TEXT NOT NULL,
    form TEXT NOT NULL,
    notice_id BLOB NOT NULL,
    language TEXT NOT NULL,
    details TEXT NOT NULL,
    client_hash BLOB,
    created_at BIGINT NOT NULL,
    address_hash BLOB,
    triaged_at BIGINT,
    confirmed_at BIGINT,
    supporter_id BLOB
);
-- Finds the new ones, and lists each state newest first.
CREATE INDEX signups_by_state ON signups (state, id);
-- Both are null until triage, so that intake pays for neither.
CREATE INDEX signups_by_address ON signups (address_hash) WHERE address_hash IS NOT NULL;
-- What the purge looks for.
CREATE INDEX signups_unerased ON signups (triaged_at) WHERE triaged_at IS NOT NULL AND email <> '' AND state <> 'confirmed';
CREATE INDEX signups_by_supporter ON signups (supporter_id) WHERE supporter_id IS NOT NULL;

CREATE TABLE supporters (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL UNIQUE,
    address_hash BLOB NOT NULL UNIQUE,
    status TEXT NOT NULL CHECK (status IN ('confirmed', 'unsubscribed', 'suppressed')),
    suppression_reason TEXT CHECK (suppression_reason IN ('bounce', 'complaint', 'manual', 'not_me')),
    given_name TEXT,
    family_name TEXT,
    phone TEXT,
    phone_consent BOOLEAN NOT NULL,
    postal_code TEXT,
    region TEXT,
    country TEXT,
    language TEXT NOT NULL,
    involvement TEXT NOT NULL,
    form TEXT NOT NULL,
    notice_id BLOB NOT NULL,
    source_code TEXT,
    source_group TEXT,
    source_page TEXT,
    utm_source TEXT,
    utm_medium TEXT,
    utm_campaign TEXT,
    search_text TEXT NOT NULL,
    link_version INTEGER NOT NULL,
    voided_at BIGINT,
    signed_up_at BIGINT NOT NULL,
    confirmed_at BIGINT NOT NULL,
    unsubscribed_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX supporters_by_status ON supporters (status, number);
CREATE INDEX supporters_by_region ON supporters (region, number);
CREATE INDEX supporters_by_created_at ON supporters (created_at);

-- Addresses to be left alone, and addresses erased by their own wish, by keyed hash alone.
CREATE TABLE suppressions (
    address_hash BLOB NOT NULL PRIMARY KEY,
    reason TEXT NOT NULL CHECK (reason IN ('bounce', 'complaint', 'manual', 'not_me', 'erased')),
    created_at BIGINT NOT NULL
);

-- When an address was last asked to click, newest first, until somebody clicks.
CREATE TABLE mail_limits (
    address_hash BLOB NOT NULL PRIMARY KEY,
    newest BIGINT NOT NULL,
    second BIGINT,
    third BIGINT
);

-- Mails owed. A claim moves `due_at` to the end of its lease; `lease` says who claimed.
CREATE TABLE outbox (
    id BLOB NOT NULL PRIMARY KEY,
    template TEXT NOT NULL,
    subject_id BLOB NOT NULL,
    address TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('due', 'sent', 'dead', 'dropped')),
    attempts INTEGER NOT NULL,
    due_at BIGINT NOT NULL,
    lease BLOB,
    last_error TEXT,
    created_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX outbox_due ON outbox (due_at) WHERE state = 'due';
CREATE INDEX outbox_dead ON outbox (finished_at) WHERE state = 'dead';
CREATE INDEX outbox_by_subject ON outbox (subject_id);

CREATE TABLE staff (
    id BLOB NOT NULL PRIMARY KEY,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('owner', 'organizer', 'analyst', 'group_manager')),
    created_at BIGINT NOT NULL
);

CREATE TABLE staff_sessions (
    token_hash BLOB NOT NULL PRIMARY KEY,
    staff_id BLOB NOT NULL REFERENCES staff (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX staff_sessions_by_staff ON staff_sessions (staff_id);

CREATE TABLE staff_tokens (
    id BLOB NOT NULL PRIMARY KEY,
    token_hash BLOB NOT NULL UNIQUE,
    staff_id BLOB NOT NULL REFERENCES staff (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT
);
CREATE INDEX staff_tokens_by_staff ON staff_tokens (staff_id);

-- Who took which list, why, and whether it was taken whole.
CREATE TABLE exports (
    id BLOB NOT NULL PRIMARY KEY,
    staff_id BLOB NOT NULL,
    format TEXT NOT NULL,
    purpose TEXT NOT NULL,
    filter TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    finished_at BIGINT,
    row_count BIGINT,
    outcome TEXT CHECK (outcome IN ('complete', 'cut_off'))
);

-- When each job that runs once per period was last begun, by whichever process.
CREATE TABLE periodic_jobs (
    name TEXT NOT NULL PRIMARY KEY,
    begun_at BIGINT NOT NULL
);
