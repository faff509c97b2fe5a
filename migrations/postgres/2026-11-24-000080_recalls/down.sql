ALTER TABLE supporters DROP COLUMN paused_until;
DROP TABLE group_webhooks;
DROP TABLE recall_heads;
DROP TABLE recalls;
