<?php
/* A city's receiver in PHP 8 with PDO's SQLite. Read it, change it, keep it.
 *
 *   AVAREZ_CITY=MASHHAD AVAREZ_SECRETS="whsec_…" AVAREZ_BOOKS=books.sqlite php -S 127.0.0.1:9000 receiver.php
 *   AVAREZ_CITY=MASHHAD AVAREZ_BOOKS=books.sqlite php receiver.php balance
 *
 * With AVAREZ_ORIGIN, AVAREZ_USERNAME and AVAREZ_PASSWORD, what was lost is fetched. In service it runs under your web
 * server (php-fpm behind nginx or Apache), with your name and certificate.
 */
declare(strict_types=1);

const TOLERANCE_S = 300;
const BODY_BYTES_MAX = 256 * 1024;
const PULL_TIMEOUT_S = 10;
const JSON_PLAIN = JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_LINE_TERMINATORS | JSON_THROW_ON_ERROR;

function setting(string $name): string
{
    return (string) getenv("AVAREZ_$name");
}

/** 1. Who speaks? Over the bytes as they came, before anything of them is read. */
function signature_is_good(string $body): bool
{
    $id = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
    $seconds = $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '';
    if (!preg_match('/^[A-Za-z0-9_-]{1,255}$/D', $id) || !preg_match('/^[0-9]{10}$/D', $seconds)) {
        return false;
    }
    if (abs(time() - (int) $seconds) > TOLERANCE_S) {
        return false;
    }
    $given = explode(' ', $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '');
    $good = false;
    foreach (preg_split('/\s+/', trim(setting('SECRETS'))) as $secret) { // two, while a new one replaces the old
        $key = base64_decode(substr($secret, strlen('whsec_')), true);
        $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$seconds.$body", $key, true));
        foreach ($given as $one) {
            $good = hash_equals($expected, $one) || $good;
        }
    }
    return $good;
}

/** RFC 8785: members sorted, no blanks, UTF-8. */
function canonical(mixed $value): string
{
    if (is_array($value)) {
        return '[' . implode(',', array_map('canonical', $value)) . ']';
    }
    if (!is_object($value)) {
        return is_float($value) ? throw new UnexpectedValueException('a float') : json_encode($value, JSON_PLAIN);
    }
    $members = get_object_vars($value);
    ksort($members, SORT_STRING);
    $told = [];
    foreach ($members as $name => $member) {
        $told[] = json_encode((string) $name, JSON_PLAIN) . ':' . canonical($member);
    }
    return '{' . implode(',', $told) . '}';
}

/** 2. Is the event what its hash says? */
function hash_of(object $data): string
{
    $content = clone $data;
    unset($content->hash);
    return hash('sha256', canonical($content));
}

function books(): PDO
{
    static $books = null;
    if ($books === null) {
        $books = new PDO('sqlite:' . setting('BOOKS'));
        $books->exec('PRAGMA busy_timeout = 30000');
        $books->exec('PRAGMA synchronous = FULL');
        $books->exec('CREATE TABLE IF NOT EXISTS events'
            . ' (sequence INTEGER PRIMARY KEY, hash TEXT NOT NULL, data TEXT NOT NULL)');
    }
    return $books;
}

/** How far the books are. */
function head(): array
{
    $row = books()->query('SELECT sequence, hash FROM events ORDER BY sequence DESC LIMIT 1')->fetch(PDO::FETCH_NUM);
    return $row ?: [0, str_repeat('0', 64)];
}

/** 3. In its place, once; the status to answer. What is answered with 200 is on the disk. */
function take(object $data): int
{
    $whole = ($data->municipality ?? null) === setting('CITY') && is_int($data->sequence);
    if (!$whole || hash_of($data) !== ($data->hash ?? null)) {
        return 422;
    }
    books()->exec('BEGIN IMMEDIATE'); // one at a time, whatever process it is
    try {
        [$sequence, $previous] = head();
        if ($data->sequence <= $sequence) {
            $known = books()->prepare('SELECT hash FROM events WHERE sequence = ?');
            $known->execute([$data->sequence]);
            return $known->fetchColumn() === $data->hash ? 200 : 409;
        }
        if ($data->sequence > $sequence + 1) {
            return 503; // something before it is missing
        }
        if (($data->previous_hash ?? null) !== $previous) {
            return 409; // call us: your books and ours differ
        }
        $row = [$data->sequence, $data->hash, canonical($data)];
        books()->prepare('INSERT INTO events VALUES (?, ?, ?)')->execute($row);
        return 200;
    } finally {
        books()->exec('COMMIT');
    }
}

function call(string $path, ?array $body = null, string $token = ''): object
{
    $http = [
        'method' => $body === null ? 'GET' : 'POST',
        'header' => "content-type: application/json\r\nauthorization: Bearer $token",
        'content' => $body === null ? '' : json_encode($body, JSON_PLAIN),
        'timeout' => PULL_TIMEOUT_S,
    ];
    $answer = @file_get_contents(setting('ORIGIN') . $path, false, stream_context_create(['http' => $http]));
    return json_decode($answer ?: throw new UnexpectedValueException("no answer to $path"), flags: JSON_THROW_ON_ERROR);
}

/** 4. What was lost: the same events by pull, from where the books end. */
function pull(): void
{
    $account = ['username' => setting('USERNAME'), 'password' => setting('PASSWORD')];
    $token = call('/v1/tokens', $account)->access_token;
    while (true) {
        $path = '/v1/municipalities/' . setting('CITY') . '/events?after=' . head()[0] . '&limit=500';
        $events = call($path, null, $token)->events;
        foreach ($events as $event) {
            if (take($event->data) !== 200) {
                return;
            }
        }
        if (!$events) {
            return;
        }
    }
}

/** Status and body of the answer. */
function answer(): array
{
    if ($_SERVER['REQUEST_METHOD'] !== 'POST') {
        return [405, []];
    }
    if ((int) ($_SERVER['CONTENT_LENGTH'] ?? 0) > BODY_BYTES_MAX) {
        return [413, []];
    }
    $body = (string) file_get_contents('php://input');
    if (!signature_is_good($body)) {
        return [401, []];
    }
    if (strtolower(trim(explode(';', $_SERVER['CONTENT_TYPE'] ?? '')[0])) !== 'application/json') {
        return [415, []];
    }
    try {
        $message = json_decode($body, flags: JSON_THROW_ON_ERROR);
        if (!is_object($message) || !is_object($message->data ?? null)) {
            return [422, []];
        }
        if (($message->type ?? null) === 'endpoint.challenge') {
            return [200, ['challenge' => $message->data->challenge ?? '']];
        }
        if (!isset($message->data->sequence)) {
            return [200, []]; // a test message, or something new that is no event
        }
        $status = take($message->data);
    } catch (JsonException | UnexpectedValueException) {
        return [422, []];
    }
    if ($status === 503 && setting('ORIGIN') !== '') {
        try {
            pull();
            $status = take($message->data);
        } catch (JsonException | UnexpectedValueException $error) {
            error_log('not fetched: ' . $error->getMessage());
        }
    }
    return [$status, []];
}

/** The ledger, from the events alone: debits and credits of each account, in rial. */
function balance(): array
{
    $accounts = [];
    foreach (books()->query('SELECT data FROM events ORDER BY sequence') as $row) {
        foreach (json_decode($row['data'])->entry->postings ?? [] as $posting) {
            $accounts[$posting->account] ??= [0, 0];
            $accounts[$posting->account][0] += (int) $posting->debit_rial;
            $accounts[$posting->account][1] += (int) $posting->credit_rial;
        }
    }
    ksort($accounts, SORT_STRING);
    return $accounts;
}

if (PHP_SAPI === 'cli') {
    foreach (balance() as $account => [$debit, $credit]) {
        echo "$account $debit $credit\n";
    }
    exit;
}
[$status, $told] = answer();
http_response_code($status);
header('content-type: application/json');
echo json_encode((object) $told, JSON_PLAIN);
