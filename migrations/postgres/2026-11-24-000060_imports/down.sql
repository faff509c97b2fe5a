DROP TABLE import_refusals;
DROP TABLE import_chunks;
DROP TABLE imports;
