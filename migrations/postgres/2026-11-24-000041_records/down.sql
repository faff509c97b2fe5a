DROP TABLE tag_operations;
DROP TABLE supporter_fields;
DROP TABLE fields;
DROP TABLE segments;
DROP TABLE supporter_aliases;
DROP TABLE supporter_notes;
