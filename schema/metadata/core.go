package metadata

// CoreRefs returns the refs of the core pack in their order. If not all definitions of a
// database can be read, these come first.
func CoreRefs() []string {
	return []string{
		"core.bun", "core.deno", "core.dotnet", "core.elixir", "core.erlang", "core.go", "core.java", "core.julia",
		"core.lua", "core.native", "core.nodejs", "core.perl", "core.php", "core.powershell", "core.python", "core.r",
		"core.ruby", "core.rust", BuiltinRef, "core.shell",
	}
}
