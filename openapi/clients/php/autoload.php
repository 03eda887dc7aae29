<?php

/**
 * Finds the client's classes, and Guzzle's: those that composer installed, else those of Debian's packages.
 *
 * Where you use composer, require the generated client as a package, and this file is not needed.
 */

declare(strict_types=1);

$installed = __DIR__ . '/vendor/autoload.php';
require_once is_file($installed) ? $installed : 'GuzzleHttp/autoload.php';

spl_autoload_register(static function (string $class): void {
    $file = __DIR__ . '/lintas-client/lib/' . str_replace(['Lintas\\Client\\', '\\'], ['', '/'], $class) . '.php';
    if (str_starts_with($class, 'Lintas\\Client\\') && is_file($file)) {
        require_once $file;
    }
});
