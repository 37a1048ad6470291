package cli

var Advised = advised
