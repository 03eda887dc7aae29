<?php

// The answer to a webhook: 204 once it is kept, 401 if no secret fits or it was signed over five minutes ago.

declare(strict_types=1);

require __DIR__ . '/inbox.php';
require __DIR__ . '/signature.php';

const LONGEST_BODY = 64 * 1024;

function take(): int
{
    if ($_SERVER['REQUEST_METHOD'] !== 'POST') {
        return 405;
    }
    $body = (string) file_get_contents('php://input', length: LONGEST_BODY + 1);
    if (strlen($body) > LONGEST_BODY) {
        return 413;
    }
    // One, or while it is being rotated the new and the old one, with a space between them.
    $secrets = preg_split('/\s+/', (string) getenv('WEBHOOK_SECRETS'), flags: PREG_SPLIT_NO_EMPTY);
    $id = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
    $timestamp = $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '';
    if (!is_signed($secrets, $id, $timestamp, $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '', $body, time())) {
        return 401;
    }
    // One that is there already, done or not, stays as it is.
    query(inbox(), 'INSERT INTO inbox (id, body) VALUES (?, ?) ON CONFLICT DO NOTHING', [$id, $body]);
    return 204;
}

ini_set('display_errors', '0'); // what went wrong is for your log, and not for who asked
http_response_code(500); // it will be sent again, unless we come to another end
http_response_code(take());
