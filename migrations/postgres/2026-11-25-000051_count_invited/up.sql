-- A sign-up that an import invites comes in already asked, past triage. One that comes in new is still counted by nothing,
-- and the condition is looked at without calling or queueing anything.
CREATE FUNCTION count_invited_signup() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO count_deltas (dimension, key, slot, amount)
    SELECT f.dimension, '', f.slot, 1 FROM (VALUES
        ('asked', CASE WHEN NEW.state IN ('pending', 'expired', 'confirmed') THEN NEW.created_at / 900000000 END),
        ('repeated', CASE WHEN NEW.state = 'repeated' THEN NEW.created_at / 900000000 END),
        ('answered', CASE WHEN NEW.state = 'confirmed' THEN NEW.created_at / 900000000 END),
        ('confirmed', CASE WHEN NEW.state = 'confirmed' THEN NEW.confirmed_at / 900000000 END)
    ) AS f (dimension, slot) WHERE f.slot IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER count_invited_signup AFTER INSERT ON signups
    FOR EACH ROW WHEN (NEW.state <> 'new') EXECUTE FUNCTION count_invited_signup();

-- Those who were invited before this were not counted as asked; what came of them was.
INSERT INTO count_deltas (dimension, key, slot, amount)
SELECT dimension, key, slot, sum(amount) FROM (
    SELECT 'asked' AS dimension, '' AS key, created_at / 900000000 AS slot, count(*) AS amount FROM signups
        WHERE state IN ('pending', 'expired', 'confirmed') GROUP BY created_at / 900000000
    UNION ALL SELECT dimension, key, slot, -amount FROM counts WHERE dimension = 'asked'
    UNION ALL SELECT dimension, key, slot, -amount FROM count_deltas WHERE dimension = 'asked'
) AS every_one GROUP BY dimension, key, slot HAVING sum(amount) <> 0;
