-- A sign-up that an import invites comes in already asked, past triage. One that comes in new is still counted by nothing.
CREATE TRIGGER count_invited_signup AFTER INSERT ON signups WHEN NEW.state <> 'new' BEGIN
    INSERT INTO counts (dimension, key, slot, amount) SELECT 'asked', '', NEW.created_at / 900000000, 1 WHERE NEW.state IN ('pending', 'expired', 'confirmed')
        ON CONFLICT (dimension, key, slot) DO UPDATE SET amount = amount + excluded.amount;
    INSERT INTO counts (dimension, key, slot, amount) SELECT 'repeated', '', NEW.created_at / 900000000, 1 WHERE NEW.state = 'repeated'
        ON CONFLICT (dimension, key, slot) DO UPDATE SET amount = amount + excluded.amount;
    INSERT INTO counts (dimension, key, slot, amount) SELECT 'answered', '', NEW.created_at / 900000000, 1 WHERE NEW.state = 'confirmed'
        ON CONFLICT (dimension, key, slot) DO UPDATE SET amount = amount + excluded.amount;
    INSERT INTO counts (dimension, key, slot, amount) SELECT 'confirmed', '', NEW.confirmed_at / 900000000, 1 WHERE NEW.state = 'confirmed' AND NEW.confirmed_at IS NOT NULL
        ON CONFLICT (dimension, key, slot) DO UPDATE SET amount = amount + excluded.amount;
END;

-- Those who were invited before this were not counted as asked; what came of them was.
INSERT INTO count_deltas (dimension, key, slot, amount)
SELECT dimension, key, slot, sum(amount) FROM (
    SELECT 'asked' AS dimension, '' AS key, created_at / 900000000 AS slot, count(*) AS amount FROM signups
        WHERE state IN ('pending', 'expired', 'confirmed') GROUP BY created_at / 900000000
    UNION ALL SELECT dimension, key, slot, -amount FROM counts WHERE dimension = 'asked'
    UNION ALL SELECT dimension, key, slot, -amount FROM count_deltas WHERE dimension = 'asked'
) AS every_one GROUP BY dimension, key, slot HAVING sum(amount) <> 0;
