-- Triage asks for the oldest that are new. By an index of all states PostgreSQL may think it better to walk the whole table
-- by its key, past everybody who ever signed up; one of the new alone leaves it no choice. Each row is in one of the two.
DROP INDEX signups_by_state;
CREATE INDEX signups_new ON signups (id) WHERE state = 'new';
CREATE INDEX signups_by_state ON signups (state, id) WHERE state <> 'new';
