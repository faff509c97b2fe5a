-- A list may name an address whose record was merged into another.
CREATE INDEX supporter_aliases_by_address ON supporter_aliases (address_hash);
