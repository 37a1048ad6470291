// Package client is the Go client of the HTTP API: a method for each operation of
// openapi.yaml, and the types of parameters and answers. A request needs a token of
// `attune tokens create`, or what the server's own authorization asks for.
package client
