<?php

// The work, after the answer: in a loop, or with --once what is due now, for cron.

declare(strict_types=1);

require __DIR__ . '/inbox.php';

$lock = fopen(inbox_path() . '.lock', 'c');
if (!flock($lock, LOCK_EX | LOCK_NB)) {
    exit(0); // another one is at it
}
$db = inbox();
do {
    $worked = work_on_one($db);
    if (!$worked && !in_array('--once', $argv, true)) {
        usleep(200_000);
        $worked = true;
    }
} while ($worked);

/** Work on one webhook, if one is due; what fails is tried again after 1, 2, 4 ... seconds, at most 300. */
function work_on_one(PDO $db): bool
{
    $due = 'SELECT id, body, tries FROM inbox WHERE done_at IS NULL AND due_at <= ? ORDER BY rowid LIMIT 1';
    [$id, $body, $tries] = query($db, $due, [time()])->fetch(PDO::FETCH_NUM) ?: [null, null, null];
    if ($id === null) {
        return false;
    }
    try {
        $handoff = handle($db, json_decode($body, associative: true, flags: JSON_THROW_ON_ERROR));
    } catch (Throwable $error) { // it stays in the inbox, and the next one is worked on
        fprintf(STDERR, "webhook %s is tried again later: %s\n", $id, $error->getMessage());
        $again_at = time() + min(2 ** min($tries, 9), 300);
        query($db, 'UPDATE inbox SET tries = tries + 1, due_at = ? WHERE id = ?', [$again_at, $id]);
        return true;
    }
    $db->beginTransaction(); // what became of it, and that it is done: both or neither
    if ($handoff !== null) {
        remember($db, $handoff);
    }
    query($db, 'UPDATE inbox SET done_at = ? WHERE id = ?', [time(), $id]);
    $db->commit();
    return true;
}

/** Do what a webhook asks for, and give the handoff's id, sequence and state; after a crash it may be done twice. */
function handle(PDO $db, array $news): ?array
{
    ['type' => $type, 'data' => $data] = $news;
    if ($type === 'endpoint.verification') {
        [$status] = api('POST', "/v1/endpoints/{$data['endpoint_id']}/verify", ['challenge' => $data['challenge']]);
        if ($status !== 200 && $status !== 422) { // 422: another challenge has taken its place
            throw new RuntimeException("verifying was answered with $status");
        }
    }
    if (!str_starts_with($type, 'handoff.')) {
        return null; // types that you do not know are let be: there will be new ones
    }
    $known = 'SELECT 1 FROM handoffs WHERE id = ? AND sequence >= ?';
    if (query($db, $known, [$data['handoff_id'], $data['sequence']])->fetch()) {
        return null; // webhooks come in any order, and this one is overtaken
    }
    // Built from the id and not taken from `url`: so the key goes to nobody but Lintas.
    [$status, $handoff] = api('GET', "/v1/handoffs/{$data['handoff_id']}");
    if ($status === 403 || $status === 404) { // it is not yours to see any more
        return [$data['handoff_id'], $data['sequence'], $data['state']];
    }
    if ($status !== 200) {
        throw new RuntimeException("the handoff was answered with $status");
    }
    // Here your own code takes over, once or twice with the same result: it writes into your case system, or calls
    // who is on duty. What it reads of the victim belongs there, and not into this file or a log.
    $to_do = implode(', ', $handoff['available_actions']);
    fprintf(STDERR, "handoff %s is %s, to do: %s\n", $handoff['id'], $handoff['state'], $to_do);
    return [$handoff['id'], $handoff['sequence'], $handoff['state']];
}

/** Keep the newest state of a handoff; an older one changes nothing. */
function remember(PDO $db, array $handoff): void
{
    query($db, 'INSERT INTO handoffs (id, sequence, state) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE
        SET sequence = excluded.sequence, state = excluded.state WHERE excluded.sequence > handoffs.sequence', $handoff);
}

/** Call Lintas with your own key; give the status, and the body where it is JSON. */
function api(string $method, string $path, ?array $body = null): array
{
    $headers = ['Authorization: Bearer ' . getenv('API_KEY'), 'Content-Type: application/json'];
    $http = ['method' => $method, 'header' => $headers, 'timeout' => 30, 'ignore_errors' => true, 'follow_location' => 0];
    $context = stream_context_create(['http' => $http + ($body === null ? [] : ['content' => json_encode($body)])]);
    $stream = @fopen(getenv('API_URL') . $path, 'r', context: $context);
    if ($stream === false) {
        throw new RuntimeException('Lintas cannot be reached');
    }
    $status = (int) explode(' ', stream_get_meta_data($stream)['wrapper_data'][0])[1];
    return [$status, json_decode((string) stream_get_contents($stream), associative: true)];
}
