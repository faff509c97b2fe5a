-- What the contact of an application answered to the question that staff asked last.
ALTER TABLE groups ADD COLUMN answer TEXT;
