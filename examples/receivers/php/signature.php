<?php

// The signature of a webhook, by the Standard Webhooks specification 1.0 (scheme v1, HMAC-SHA256).

declare(strict_types=1);

const TOLERANCE = 300; // seconds between the signing and now, in either direction

/**
 * Say whether one of the signatures is by one of the secrets (`whsec_...`), and not too old.
 *
 * The body is the bytes as they came: they are what is signed, with the id and the time.
 */
function is_signed(array $secrets, string $id, string $timestamp, string $signatures, string $body, int $now): bool
{
    if ($id === '' || !ctype_digit($timestamp) || abs($now - (int) $timestamp) > TOLERANCE) {
        return false;
    }
    foreach ($secrets as $secret) {
        $key = base64_decode(preg_replace('/^whsec_/', '', $secret), strict: true);
        if ($key === false || $key === '') {
            throw new InvalidArgumentException('a secret is whsec_ and base64');
        }
        $right = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, binary: true));
        foreach (explode(' ', $signatures) as $signature) {
            if (hash_equals($right, $signature)) {
                return true;
            }
        }
    }
    return false;
}
