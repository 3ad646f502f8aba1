-- Who may ask a web server that wants to know, and the tokens that they show.
CREATE TABLE accounts (
    name      TEXT PRIMARY KEY,
    role      TEXT NOT NULL CHECK (role IN ('viewer', 'launcher', 'editor', 'admin')),
    locations TEXT NOT NULL,  -- JSON: the role in each code location where it is another
    disabled  INTEGER NOT NULL CHECK (disabled IN (0, 1)),
    created   REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE account_tokens (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    account   TEXT NOT NULL,
    digest    TEXT NOT NULL UNIQUE,
    label     TEXT NOT NULL,
    created   REAL NOT NULL,
    expires   REAL NOT NULL,
    last_used REAL,
    revoked   REAL
);
CREATE INDEX account_tokens_by_account ON account_tokens (account, id);
