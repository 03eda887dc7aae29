<?php

// The inbox: what was answered with 2xx lies on the disk, and a crash loses none of it.

declare(strict_types=1);

const TABLES = <<<'SQL'
    CREATE TABLE IF NOT EXISTS inbox (id TEXT PRIMARY KEY, body TEXT NOT NULL,
        tries INTEGER NOT NULL DEFAULT 0, due_at INTEGER NOT NULL DEFAULT 0, done_at INTEGER);
    CREATE INDEX IF NOT EXISTS inbox_open ON inbox (due_at) WHERE done_at IS NULL;
    CREATE TABLE IF NOT EXISTS handoffs (id TEXT PRIMARY KEY, sequence INTEGER NOT NULL, state TEXT NOT NULL);
    SQL;

function inbox(): PDO
{
    $db = new PDO('sqlite:' . inbox_path(), options: [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
    $db->exec('PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;' . TABLES);
    return $db;
}

/** Where it lies: outside of what the web server shows. */
function inbox_path(): string
{
    return getenv('INBOX') ?: __DIR__ . '/inbox.sqlite';
}

/** Run a statement, and give what it found. */
function query(PDO $db, string $statement, array $values): PDOStatement
{
    $prepared = $db->prepare($statement);
    $prepared->execute($values);
    return $prepared;
}
