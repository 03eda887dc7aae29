<?php

/** Loads every file of the client: what PHP cannot read, or warns of, ends it with an error. */

declare(strict_types=1);

set_error_handler(static function (int $kind, string $what, string $file, int $line): never {
    throw new ErrorException($what, 0, $kind, $file, $line);
});

require_once __DIR__ . '/autoload.php';

$files = new RecursiveIteratorIterator(new RecursiveDirectoryIterator(__DIR__ . '/lintas-client/lib'));
foreach ($files as $file) {
    if ($file->getExtension() === 'php') {
        require_once $file->getPathname();
    }
}
