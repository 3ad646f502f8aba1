-- Who may ask a web server that wants to know, and the tokens that they show.
CREATE TABLE accounts (
    name      TEXT COLLATE "C" PRIMARY KEY,
    role      TEXT COLLATE "C" NOT NULL CHECK (role IN ('viewer', 'launcher', 'editor', 'admin')),
    locations TEXT COLLATE "C" NOT NULL,  -- JSON: the role in each code location where it is another
    disabled  BOOLEAN NOT NULL,
    created   DOUBLE PRECISION NOT NULL
);

CREATE TABLE account_tokens (
    id        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account   TEXT COLLATE "C" NOT NULL REFERENCES accounts (name) ON DELETE CASCADE,
    digest    TEXT COLLATE "C" NOT NULL UNIQUE,
    label     TEXT COLLATE "C" NOT NULL,
    created   DOUBLE PRECISION NOT NULL,
    expires   DOUBLE PRECISION NOT NULL,
    last_used DOUBLE PRECISION,
    revoked   DOUBLE PRECISION
);
CREATE INDEX account_tokens_by_account ON account_tokens (account, id);
