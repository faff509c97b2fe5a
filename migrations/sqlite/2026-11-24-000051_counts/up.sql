-- Figures, kept by what the acts themselves change, so that nobody who changes a row can forget them: triggers append
-- in the transaction of the act. A key is a status, region, source, form or a group's id; a slot is a quarter of an hour
-- in UTC, counted from 1970 (every time zone's days are made of such), or 0 where the figure has none.
-- There is one writer here, so nobody waits for a figure: it is changed in its place.
CREATE TABLE counts (
    dimension TEXT NOT NULL,
    key TEXT NOT NULL,
    slot BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    PRIMARY KEY (dimension, key, slot)
) WITHOUT ROWID;
-- What PostgreSQL's triggers append, and corrections; one job folds it into the figures.
CREATE TABLE count_deltas (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    dimension TEXT NOT NULL,
    key TEXT NOT NULL,
    slot BIGINT NOT NULL,
    amount BIGINT NOT NULL
);

CREATE TRIGGER count_new_supporter AFTER INSERT ON supporters BEGIN
    INSERT INTO counts (dimension, key, slot, amount) SELECT 'status', NEW.status, 0, 1 WHERE TRUE
        ON CONFLICT (dimension, key, slot) DO UPDATE SET amount = amount + excluded.amount;
    INSERT INTO counts (dimension, key, slot, amount) SELECT 'region', coalesce(NEW.region, ''), 0, 1 WHERE NEW.status = 'confirmed'
        ON CONFLICT (dimension, key, slot) DO UPDATE SET amount = amount + excluded.amount;
    INSERT INTO counts (dimension, key, slot, amount) SELECT 'source', coalesce(NEW.source_code, ''), 0, 1 WHERE NEW.status = 'confirmed'
        ON CONFLICT (dimension, key, slot) DO UPDATE SET amount = amount + excluded.amount;
    INSERT INTO counts (dimension, key, slot, amount) SELECT 'form', NEW.form, 0, 1 WHERE NEW.status = 'confirmed'
        ON CONFLICT (dimension, key, slot) DO UPDATE SET amount = amount + excluded.amount;
END;
CREATE TRIGGER count_gone_supporter AFTER DELETE ON supporters BEGIN
    INSERT INTO counts (dimension, key, slot, amount) SELECT 'status', OLD.status, 0, -1 WHERE TRUE
        ON CONFLICT (dimension, key, slot) DO UPDATE SET amount = amount + excluded.amount;
    INSERT INTO counts (dimension, key, slot, amount) SELECT 'region', coalesce(OLD.region, ''), 0, -1 WHERE OLD.status = 'confirmed'
        ON CONFLICT (dimension, key, slot) DO UPDATE SET amount = amount + excluded.amount;
    INSERT INTO counts (dimension, key, slot, amount) SELECT 'source', coalesce(OLD.source_code, ''), 0, -1 WHERE OLD.status = 'confirmed'
        ON CONFLICT (dimension, key, slot) DO UPDATE SET amount = amount + excluded.amount;
    INSERT INTO counts (dimension, key, slot, amount) SELECT 'form', OLD.form, 0, -1 WHERE OLD.status = 'confirmed'
        ON CONFLICT (dimension, key, slot) DO UPDATE SET amount = amount + excluded.amount;
END;
CREATE TRIGGER count_changed_supporter AFTER UPDATE OF status, region, source_code, form ON supporters
WHEN OLD.status <> NEW.status OR OLD.region IS NOT NEW.region OR OLD.source_code IS NOT NEW.source_code OR OLD.form <> NEW.form
BEGIN
    INSERT INTO counts (dimension, key, slot, amount) SELECT 'status', OLD.status, 0, -1 WHERE TRUE
        ON CONFLICT (dimension, key, slot) DO UPDATE SET amount = amount + excluded.amount;
    INSERT INTO counts (dimension, key, slot, amount) SELECT 'region', coalesce(OLD.region, ''), 0, -1 WHERE OLD.status = 'confirmed'
        ON CONFLICT (dimension, key, slot) DO UPDATE SET amount = amount + excluded.amount;
    INSERT INTO counts (dimension, key, slot, amount) SELECT 'source', coalesce(OLD.source_code, ''), 0, -1 WHERE OLD.status = 'confirmed'
        ON CONFLICT (dimension, key, slot) DO UPDATE SET amount = amount + excluded.amount;
    INSERT INTO counts (dimension, key, slot, amount) SELECT 'form', OLD.form, 0, -1 WHERE OLD.status = 'confirmed'
        ON CONFLICT (dimension, key, slot) DO UPDATE SET amount = amount + excluded.amount;
    INSERT INTO counts (dimension, key, slot, amount) SELECT 'status', NEW.status, 0, 1 WHERE TRUE
        ON CONFLICT (dimension, key, slot) DO UPDATE SET amount = amount + excluded.amount;
    INSERT INTO counts (dimension, key, slot, amount) SELECT 'region', coalesce(NEW.region, ''), 0, 1 WHERE NEW.status = 'confirmed'
        ON CONFLICT (dimension, key, slot) DO UPDATE SET amount = amount + excluded.amount;
    INSERT INTO counts (dimension, key, slot, amount) SELECT 'source', coalesce(NEW.source_code, ''), 0, 1 WHERE NEW.status = 'confirmed'
        ON CONFLICT (dimension, key, slot) DO UPDATE SET amount = amount + excluded.amount;
    INSERT INTO counts (dimension, key, slot, amount) SELECT 'form', NEW.form, 0, 1 WHERE NEW.status = 'confirmed'
        ON CONFLICT (dimension, key, slot) DO UPDATE SET amount = amount + excluded.amount;
END;

CREATE TRIGGER count_new_share AFTER INSERT ON shares WHEN NEW.withdrawn_at IS NULL BEGIN
    INSERT INTO counts (dimension, key, slot, amount) SELECT 'group', lower(hex(NEW.group_id)), 0, 1 WHERE NEW.withdrawn_at IS NULL
        ON CONFLICT (dimension, key, slot) DO UPDATE SET amount = amount + excluded.amount;
END;
CREATE TRIGGER count_gone_share AFTER DELETE ON shares WHEN OLD.withdrawn_at IS NULL BEGIN
    INSERT INTO counts (dimension, key, slot, amount) SELECT 'group', lower(hex(OLD.group_id)), 0, -1 WHERE OLD.withdrawn_at IS NULL
        ON CONFLICT (dimension, key, slot) DO UPDATE SET amount = amount + excluded.amount;
END;
CREATE TRIGGER count_changed_share AFTER UPDATE OF withdrawn_at, group_id ON shares BEGIN
    INSERT INTO counts (dimension, key, slot, amount) SELECT 'group', lower(hex(OLD.group_id)), 0, -1 WHERE OLD.withdrawn_at IS NULL
        ON CONFLICT (dimension, key, slot) DO UPDATE SET amount = amount + excluded.amount;
    INSERT INTO counts (dimension, key, slot, amount) SELECT 'group', lower(hex(NEW.group_id)), 0, 1 WHERE NEW.withdrawn_at IS NULL
        ON CONFLICT (dimension, key, slot) DO UPDATE SET amount = amount + excluded.amount;
END;

-- Triage and what comes after it. A sign-up that comes in is counted by nothing.
CREATE TRIGGER count_changed_signup AFTER UPDATE OF state ON signups WHEN OLD.state <> NEW.state BEGIN
    INSERT INTO counts (dimension, key, slot, amount) SELECT 'asked', '', OLD.created_at / 900000000, -1 WHERE OLD.state IN ('pending', 'expired', 'confirmed')
        ON CONFLICT (dimension, key, slot) DO UPDATE SET amount = amount + excluded.amount;
    INSERT INTO counts (dimension, key, slot, amount) SELECT 'repeated', '', OLD.created_at / 900000000, -1 WHERE OLD.state = 'repeated'
        ON CONFLICT (dimension, key, slot) DO UPDATE SET amount = amount + excluded.amount;
    INSERT INTO counts (dimension, key, slot, amount) SELECT 'answered', '', OLD.created_at / 900000000, -1 WHERE OLD.state = 'confirmed'
        ON CONFLICT (dimension, key, slot) DO UPDATE SET amount = amount + excluded.amount;
    INSERT INTO counts (dimension, key, slot, amount) SELECT 'confirmed', '', OLD.confirmed_at / 900000000, -1 WHERE OLD.state = 'confirmed' AND OLD.confirmed_at IS NOT NULL
        ON CONFLICT (dimension, key, slot) DO UPDATE SET amount = amount + excluded.amount;
    INSERT INTO counts (dimension, key, slot, amount) SELECT 'asked', '', NEW.created_at / 900000000, 1 WHERE NEW.state IN ('pending', 'expired', 'confirmed')
        ON CONFLICT (dimension, key, slot) DO UPDATE SET amount = amount + excluded.amount;
    INSERT INTO counts (dimension, key, slot, amount) SELECT 'repeated', '', NEW.created_at / 900000000, 1 WHERE NEW.state = 'repeated'
        ON CONFLICT (dimension, key, slot) DO UPDATE SET amount = amount + excluded.amount;
    INSERT INTO counts (dimension, key, slot, amount) SELECT 'answered', '', NEW.created_at / 900000000, 1 WHERE NEW.state = 'confirmed'
        ON CONFLICT (dimension, key, slot) DO UPDATE SET amount = amount + excluded.amount;
    INSERT INTO counts (dimension, key, slot, amount) SELECT 'confirmed', '', NEW.confirmed_at / 900000000, 1 WHERE NEW.state = 'confirmed' AND NEW.confirmed_at IS NOT NULL
        ON CONFLICT (dimension, key, slot) DO UPDATE SET amount = amount + excluded.amount;
END;

-- What there is already.
INSERT INTO counts (dimension, key, slot, amount)
SELECT 'status', status, 0, count(*) FROM supporters GROUP BY status
UNION ALL SELECT 'region', coalesce(region, ''), 0, count(*) FROM supporters WHERE status = 'confirmed' GROUP BY coalesce(region, '')
UNION ALL SELECT 'source', coalesce(source_code, ''), 0, count(*) FROM supporters WHERE status = 'confirmed' GROUP BY coalesce(source_code, '')
UNION ALL SELECT 'form', form, 0, count(*) FROM supporters WHERE status = 'confirmed' GROUP BY form
UNION ALL SELECT 'group', lower(hex(group_id)), 0, count(*) FROM shares WHERE withdrawn_at IS NULL GROUP BY group_id
UNION ALL SELECT 'asked', '', created_at / 900000000, count(*) FROM signups
    WHERE state IN ('pending', 'expired', 'confirmed') GROUP BY created_at / 900000000
UNION ALL SELECT 'repeated', '', created_at / 900000000, count(*) FROM signups WHERE state = 'repeated' GROUP BY created_at / 900000000
UNION ALL SELECT 'answered', '', created_at / 900000000, count(*) FROM signups WHERE state = 'confirmed' GROUP BY created_at / 900000000
UNION ALL SELECT 'confirmed', '', confirmed_at / 900000000, count(*) FROM signups
    WHERE state = 'confirmed' AND confirmed_at IS NOT NULL GROUP BY confirmed_at / 900000000;
