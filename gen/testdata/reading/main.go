//go:build ignore

// Command main is no part of the package.
package main

func main() {}
