-- Ranges within blocks of 8192 numbers: the newest of whom a range holds are found block by block, wherever they are
-- (supporters/filter/blocks.rs, which has the same words). Words and domains are asked for by ranges alone, so these
-- indexes take the place of those in the order of the words.
DROP INDEX supporters_by_word_1;
CREATE INDEX supporters_word_1_by_block ON supporters ((number / 8192), word_1, number) WHERE word_1 IS NOT NULL;
DROP INDEX supporters_by_word_2;
CREATE INDEX supporters_word_2_by_block ON supporters ((number / 8192), word_2, number) WHERE word_2 IS NOT NULL;
DROP INDEX supporters_by_word_3;
CREATE INDEX supporters_word_3_by_block ON supporters ((number / 8192), word_3, number) WHERE word_3 IS NOT NULL;
DROP INDEX supporters_by_word_4;
CREATE INDEX supporters_word_4_by_block ON supporters ((number / 8192), word_4, number) WHERE word_4 IS NOT NULL;
DROP INDEX supporters_by_word_5;
CREATE INDEX supporters_word_5_by_block ON supporters ((number / 8192), word_5, number) WHERE word_5 IS NOT NULL;
DROP INDEX supporters_by_word_6;
CREATE INDEX supporters_word_6_by_block ON supporters ((number / 8192), word_6, number) WHERE word_6 IS NOT NULL;
DROP INDEX supporters_by_domain;
CREATE INDEX supporters_domain_by_block ON supporters ((number / 8192), domain, number) WHERE domain IS NOT NULL;
CREATE INDEX supporters_email_by_block ON supporters ((number / 8192), email_key, number);
CREATE INDEX supporters_postal_code_by_block ON supporters ((number / 8192), postal_code, number)
    WHERE postal_code IS NOT NULL;
CREATE INDEX supporters_signed_up_by_block ON supporters ((number / 8192), signed_up_at, number);
CREATE INDEX supporters_confirmed_by_block ON supporters ((number / 8192), confirmed_at, number);
CREATE INDEX supporters_created_by_block ON supporters ((number / 8192), created_at, number);
CREATE INDEX supporters_unsubscribed_by_block ON supporters ((number / 8192), unsubscribed_at, number)
    WHERE unsubscribed_at IS NOT NULL;
CREATE INDEX supporter_fields_rank_by_block
    ON supporter_fields (field_number, (supporter_number / 8192), rank, supporter_number) WHERE rank IS NOT NULL;
CREATE INDEX shares_given_by_block ON shares (group_id, (supporter_number / 8192), given_at, supporter_number)
    WHERE withdrawn_at IS NULL;
