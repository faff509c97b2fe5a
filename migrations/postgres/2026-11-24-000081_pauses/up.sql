-- Finds the pauses that are over.
CREATE INDEX supporters_paused ON supporters (paused_until) WHERE paused_until IS NOT NULL;
