-- Where a span of time begins and ends in the audit trail, whose entries are read in the order of their numbers.
CREATE INDEX audit_entries_by_time ON audit_entries (at, number);
