DROP INDEX signups_by_state;
DROP INDEX signups_new;
CREATE INDEX signups_by_state ON signups (state, id);
