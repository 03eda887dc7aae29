<?php

/**
 * One full exchange with Lintas through the generated client: an agency refers, another takes it on and ends it.
 *
 * Run it with the keys of a sender and of the receiver that is asked first, such as `make run` prints:
 *
 *     BASE_URL=http://127.0.0.1:8080 SENDER=lintas_sender_... RECEIVER=lintas_receiver_... php exchange.php
 *
 * It says every step, and ends with 1 at the first one that does not go as it should.
 */

declare(strict_types=1);

use GuzzleHttp\Client;
use Lintas\Client\Api\EventsApi;
use Lintas\Client\Api\HandoffsApi;
use Lintas\Client\Api\ReferralsApi;
use Lintas\Client\ApiException;
use Lintas\Client\Configuration;
use Lintas\Client\Model\AskedForService;
use Lintas\Client\Model\CaseOfViolence;
use Lintas\Client\Model\CompletionOutcome;
use Lintas\Client\Model\Consent;
use Lintas\Client\Model\ConsentBasis;
use Lintas\Client\Model\DeclineReason;
use Lintas\Client\Model\HandoffCompletion;
use Lintas\Client\Model\HandoffDecline;
use Lintas\Client\Model\HandoffState;
use Lintas\Client\Model\Locations;
use Lintas\Client\Model\Problem;
use Lintas\Client\Model\ReferralAmendment;
use Lintas\Client\Model\ReferralSubmission;
use Lintas\Client\Model\ReferralView;
use Lintas\Client\Model\Urgency;
use Lintas\Client\Model\Victim;

require_once __DIR__ . '/autoload.php';

/** Goes through the exchange once. */
function main(): void
{
    $run = bin2hex(random_bytes(6));
    $sender = configuration(setting('SENDER'));
    $receiver = configuration(setting('RECEIVER'));
    $referrals = new ReferralsApi(http(), $sender);

    $referral = send($referrals, $run);
    page_through($referrals, $run, $referral->getId());
    [$accepted, $declined] = receive(new HandoffsApi(http(), $receiver), $referral->getId());
    amend($referrals, $referral->getId());
    follow(new EventsApi(http(), $sender), $referral->getId(), $accepted, $declined);
    ask_too_often($referrals);
}

/** Sends a referral: refused while it is wrong, taken once, and the same one again when the answer was lost. */
function send(ReferralsApi $referrals, string $run): ReferralView
{
    $wrong = a_referral("$run-1")->setServices([new AskedForService(['type' => 'tailoring'])]);
    [$problem] = refusal(fn () => $referrals->submitReferral("$run-0", $wrong));
    step('a referral that asks for what nobody gives is refused', $problem->getStatus() === 422);
    $pointers = array_map(fn ($error) => $error->getPointer(), $problem->getErrors());
    step('and the problem names the field', $pointers === ['/services/0/type']);

    $body = a_referral("$run-1");
    [$referral, $status] = $referrals->submitReferralWithHttpInfo("$run-1", $body);
    step('a referral is taken', $status === 201 && $referral->getState() === 'open');
    $asked = [];
    foreach ($referral->getServiceRequests() as $line) {
        $asked[$line->getServiceType()] = $line->getHandoff()?->getAgency();
    }
    $both = isset($asked['legal_service'], $asked['psychosocial_service']);
    step('and says whom it asked for what', $both && count($asked) === 2);

    [$again, , $headers] = $referrals->submitReferralWithHttpInfo("$run-1", $body);
    step('sent again under its key it is the same one', $again->getId() === $referral->getId());
    step('and says that it is a repeat', header_of($headers, 'Idempotency-Replayed') === 'true');

    [$problem] = refusal(fn () => $referrals->submitReferral("$run-1", a_referral("$run-2")));
    step('another one under the same key is refused', $problem->getStatus() === 422);
    [$problem] = refusal(fn () => $referrals->submitReferral("$run-2", $body));
    step('and the same one under another key is a conflict', $problem->getStatus() === 409);

    return $referral;
}

/** Sends two more, and finds all three by pages of two. */
function page_through(ReferralsApi $referrals, string $run, string $first): void
{
    $sent = [$first];
    foreach ([2, 3] as $number) {
        $sent[] = $referrals->submitReferral("$run-$number", a_referral("$run-$number"))->getId();
    }
    $listed = [];
    foreach (all(fn (?string $after) => $referrals->listReferrals(limit: 2, after: $after)) as $line) {
        $listed[] = $line->getId();
        if ($line->getId() === $first) {
            break;
        }
    }
    step('three referrals are listed over two pages, newest first', $listed === array_reverse($sent));
}

/**
 * Finds what may be accepted, accepts and completes one, declines the other.
 *
 * @return array{string, string}
 */
function receive(HandoffsApi $handoffs, string $referralId): array
{
    $offered = [];
    $states = [HandoffState::OFFERED, HandoffState::EXPIRED];
    foreach (all(fn (?string $after) => $handoffs->listHandoffs($states, after: $after)) as $line) {
        if ($line->getReferralId() === $referralId) {
            $offered[$line->getServiceType()] = $line->getId();
        }
    }
    $both = isset($offered['legal_service'], $offered['psychosocial_service']);
    step('the receiver finds both offers, with those that may still be accepted', $both && count($offered) === 2);
    ['legal_service' => $accepted, 'psychosocial_service' => $declined] = $offered;

    $handoff = $handoffs->readHandoff($accepted);
    $until = $handoff->getRespondBy();
    step('an offer says by when it is to be answered', $until > $handoff->getOfferedAt());
    step('and shows no name yet', !isset(((array) $handoff->getCase()?->getPersonal())['name']));

    $handoff = $handoffs->acceptHandoff($accepted, idempotencyKey: bin2hex(random_bytes(16)));
    step('it is accepted', $handoff->getState() === 'accepted');
    [$problem] = refusal(fn () => $handoffs->acceptHandoff($accepted, idempotencyKey: bin2hex(random_bytes(16))));
    step('accepting it once more is a conflict', $problem->getStatus() === 409);
    step('which says what can be done instead', in_array('start', $problem->getAvailableActions(), true));

    $no = new HandoffDecline(['reason' => DeclineReason::NO_CAPACITY, 'note' => 'Penuh sampai akhir minggu.']);
    $handoff = $handoffs->declineHandoff($declined, $no);
    $because = $handoff->getReason();
    step('the other one is declined', $handoff->getState() === 'declined' && $because === 'no_capacity');

    $handoffs->startHandoff($accepted);
    $done = new HandoffCompletion(['outcome' => CompletionOutcome::SERVICE_GIVEN]);
    $handoff = $handoffs->completeHandoff($accepted, $done);
    $came = $handoff->getOutcome();
    step('and the first is completed', $handoff->getState() === 'completed' && $came === 'service_given');

    return [$accepted, $declined];
}

/** Adds to the referral what became known: only to the version that was read. */
function amend(ReferralsApi $referrals, string $referralId): void
{
    [$read, , $headers] = $referrals->readReferralWithHttpInfo($referralId);
    $change = new ReferralAmendment(['narrative' => 'Korban sudah di rumah kakaknya.']);
    [$problem] = refusal(fn () => $referrals->amendReferral($referralId, '"v0"', $change));
    step('a change to another version is refused', $problem->getStatus() === 412);

    $tag = header_of($headers, 'ETag');
    [$amended, , $headers] = $referrals->amendReferralWithHttpInfo($referralId, $tag, $change);
    $version = $amended->getVersion();
    step('and to the version that was read it is made', $version === $read->getVersion() + 1);
    step('which is then another', header_of($headers, 'ETag') === "\"v$version\"");
}

/** Reads in the feed what became of it all, as a webhook would have said; the cursor is kept between two looks. */
function follow(EventsApi $events, string $referralId, string $accepted, string $declined): void
{
    $lived = ['handoff.accepted', 'handoff.started', 'handoff.completed'];
    $told = [$accepted => [], $declined => []];
    $after = null;
    for ($look = 0; $look < 20 && !in_array('handoff.completed', $told[$accepted], true); $look++) {
        usleep($look > 0 ? 500_000 : 0);
        $page = $events->listEvents(limit: 200, after: $after);
        $after = $page->getNext() ?? $after;
        foreach ($page->getItems() as $event) {
            $data = (array) $event->getData();
            if (in_array($event->getType(), [...$lived, 'handoff.declined'], true)) {
                if ($data['referral_id'] === $referralId) {
                    $told[$data['handoff_id']][] = $event->getType();
                }
            }
        }
    }
    step('the sender is told what became of the first', $told[$accepted] === $lived);
    step('and of the other', $told[$declined] === ['handoff.declined']);
}

/** Asks until Lintas says that it is too much, waits as long as it says, and goes on. */
function ask_too_often(ReferralsApi $referrals): void
{
    [$problem, $headers] = refusal(function () use ($referrals): void {
        for ($asked = 0; $asked < 1_000; $asked++) {
            $referrals->listReferrals(limit: 1);
        }
    });
    step('who asks too often is told so', $problem->getStatus() === 429);
    sleep((int) header_of($headers, 'Retry-After'));
    [, $status] = $referrals->listReferralsWithHttpInfo(limit: 1);
    step('and for how long to wait', $status === 200);
}

/** Writes a referral: a woman hurt in Sepaku asks for a lawyer and for somebody to talk to. */
function a_referral(string $reference): ReferralSubmission
{
    return new ReferralSubmission([
        'senderReference' => $reference,
        'urgency' => Urgency::STANDARD,
        'case' => new CaseOfViolence(['types' => ['physical', 'psychological']]),
        'locations' => new Locations(['incident' => '64.09.04', 'domicile' => '64.09.01', 'current' => '64.09.01']),
        'victim' => new Victim(['alias' => 'Bunga', 'sex' => 'female', 'age' => 31]),
        'services' => [
            new AskedForService(['type' => 'legal_service']),
            new AskedForService(['type' => 'psychosocial_service']),
        ],
        'consent' => new Consent(['basis' => ConsentBasis::VICTIM, 'givenAt' => new DateTime('today')]),
    ]);
}

/** Gives everything of a list, page by page. */
function all(callable $page): Generator
{
    $after = null;
    do {
        $found = $page($after);
        yield from $found->getItems();
        $after = $found->getNext();
    } while ($after !== null);
}

/**
 * Gives the problem that a request is refused with, and the headers that came with it.
 *
 * @return array{Problem, array<string, string[]>}
 */
function refusal(callable $request): array
{
    try {
        $request();
    } catch (ApiException $refused) {
        return [$refused->getResponseObject(), $refused->getResponseHeaders()];
    }
    throw new LogicException('it should have been refused');
}

/**
 * Gives one header of an answer; their names are not told apart by case.
 *
 * @param array<string, string[]> $headers
 */
function header_of(array $headers, string $name): string
{
    return array_change_key_case($headers)[strtolower($name)][0] ?? '';
}

/** Says where Lintas is and which key goes with every request. */
function configuration(string $key): Configuration
{
    return (new Configuration())->setHost(setting('BASE_URL'))->setAccessToken($key);
}

/** Makes what requests are sent with. */
function http(): Client
{
    return new Client(['timeout' => 30, 'headers' => ['Accept-Language' => 'en']]);
}

/** Reads a setting from the environment. */
function setting(string $name): string
{
    return getenv($name) ?: throw new RuntimeException("$name is not set");
}

/** Says a step, and ends here if it did not go as it should. */
function step(string $what, bool $happened): void
{
    echo '  ', $happened ? 'ok' : 'NOT', '  ', $what, PHP_EOL;
    $happened || exit(1);
}

main();
