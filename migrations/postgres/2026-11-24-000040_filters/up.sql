-- What a filter asks for, each with an index that is read in the order of the list: a page begins at its number.
-- Words of a name, without case and accents, and the domain of the address; filled by the app. `domain` is null until it
-- has been done for a row from before.
ALTER TABLE supporters ADD COLUMN word_1 TEXT COLLATE "C";
ALTER TABLE supporters ADD COLUMN word_2 TEXT COLLATE "C";
ALTER TABLE supporters ADD COLUMN word_3 TEXT COLLATE "C";
ALTER TABLE supporters ADD COLUMN word_4 TEXT COLLATE "C";
ALTER TABLE supporters ADD COLUMN word_5 TEXT COLLATE "C";
ALTER TABLE supporters ADD COLUMN word_6 TEXT COLLATE "C";
ALTER TABLE supporters ADD COLUMN domain TEXT COLLATE "C";
ALTER TABLE supporters DROP COLUMN search_text;
-- Prefixes are ranges of bytes.
ALTER TABLE supporters ALTER COLUMN email_key TYPE TEXT COLLATE "C", ALTER COLUMN postal_code TYPE TEXT COLLATE "C";
CREATE INDEX supporters_by_word_1 ON supporters (word_1, number) WHERE word_1 IS NOT NULL;
CREATE INDEX supporters_by_word_2 ON supporters (word_2, number) WHERE word_2 IS NOT NULL;
CREATE INDEX supporters_by_word_3 ON supporters (word_3, number) WHERE word_3 IS NOT NULL;
CREATE INDEX supporters_by_word_4 ON supporters (word_4, number) WHERE word_4 IS NOT NULL;
CREATE INDEX supporters_by_word_5 ON supporters (word_5, number) WHERE word_5 IS NOT NULL;
CREATE INDEX supporters_by_word_6 ON supporters (word_6, number) WHERE word_6 IS NOT NULL;
CREATE INDEX supporters_by_domain ON supporters (domain, number) WHERE domain IS NOT NULL;
CREATE INDEX supporters_without_words ON supporters (number) WHERE domain IS NULL;
CREATE INDEX supporters_by_country ON supporters (country, number) WHERE country IS NOT NULL;
CREATE INDEX supporters_by_postal_code ON supporters (postal_code, number) WHERE postal_code IS NOT NULL;
CREATE INDEX supporters_by_language ON supporters (language, number);
CREATE INDEX supporters_by_form ON supporters (form, number);
CREATE INDEX supporters_by_source_code ON supporters (source_code, number) WHERE source_code IS NOT NULL;
CREATE INDEX supporters_by_utm_campaign ON supporters (utm_campaign, number) WHERE utm_campaign IS NOT NULL;
DROP INDEX supporters_by_created_at;
CREATE INDEX supporters_by_created_at ON supporters (created_at, number);
CREATE INDEX supporters_by_signed_up_at ON supporters (signed_up_at, number);
CREATE INDEX supporters_by_confirmed_at ON supporters (confirmed_at, number);
CREATE INDEX supporters_by_unsubscribed_at ON supporters (unsubscribed_at, number) WHERE unsubscribed_at IS NOT NULL;
CREATE INDEX supporters_with_phone ON supporters (number) WHERE phone IS NOT NULL AND phone_consent;
CREATE INDEX supporters_involved_frontline ON supporters (number) WHERE involvement LIKE '%frontline%';
CREATE INDEX supporters_involved_worker ON supporters (number) WHERE involvement LIKE '%worker%';
CREATE INDEX supporters_involved_advocate ON supporters (number) WHERE involvement LIKE '%advocate%';
CREATE INDEX supporters_involved_faith ON supporters (number) WHERE involvement LIKE '%faith%';
CREATE INDEX supporters_involved_researcher ON supporters (number) WHERE involvement LIKE '%researcher%';
CREATE INDEX supporters_involved_other ON supporters (number) WHERE involvement LIKE '%other%';
