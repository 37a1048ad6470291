package unify

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// coreRuntime is a frozen copy of a definition of the core pack. What a
// migration does must not change when the pack does, so nothing here follows
// the pack: do not edit it.
type coreRuntime struct {
	// aliases are its names; a legacy name among them is this runtime.
	aliases []string
	// roles as they stand in distributions; nil is both.
	roles []string
	// commands are tried in this order; none is a runtime that is always there.
	commands []coreCommand
}

type coreCommand struct {
	binary, args, pattern string
}

const (
	corePack   = "core"
	builtinRef = "core.sensor.builtin"
)

var coreRuntimes = map[string]coreRuntime{
	"python": {aliases: []string{"python", "python3"}, commands: []coreCommand{
		{"python3", "--version", `Python \d+\.\d+`}, {"python", "--version", `Python \d+\.\d+`}}},
	"nodejs": {aliases: []string{"node", "nodejs"}, commands: []coreCommand{
		{"node", "--version", `v\d+\.\d+`}, {"nodejs", "--version", `v\d+\.\d+`}}},
	"shell": {aliases: []string{"shell", "bash", "sh"}, commands: []coreCommand{
		{"bash", "--version", `bash, version \d+`}}},
	"native": {aliases: []string{"native"}},
	"go":     {aliases: []string{"go", "golang"}, commands: []coreCommand{{"go", "version", `go version`}}},
	"java": {aliases: []string{"java", "jvm"}, commands: []coreCommand{
		{"java", "-version", `version "`}}},
	"perl":       {aliases: []string{"perl"}, commands: []coreCommand{{"perl", "--version", `This is perl`}}},
	"r":          {aliases: []string{"r", "rscript"}, commands: []coreCommand{{"Rscript", "--version", `\d+\.\d+`}}},
	"ruby":       {aliases: []string{"ruby"}, commands: []coreCommand{{"ruby", "--version", `ruby \d+`}}},
	"php":        {aliases: []string{"php"}, commands: []coreCommand{{"php", "--version", `PHP \d+`}}},
	"dotnet":     {aliases: []string{"dotnet"}, commands: []coreCommand{{"dotnet", "--version", `\d+\.\d+`}}},
	"deno":       {aliases: []string{"deno"}, commands: []coreCommand{{"deno", "--version", `deno \d+`}}},
	"bun":        {aliases: []string{"bun"}, commands: []coreCommand{{"bun", "--version", `\d+\.\d+`}}},
	"rust":       {aliases: []string{"rust", "rustc"}, commands: []coreCommand{{"rustc", "--version", `rustc \d+`}}},
	"lua":        {aliases: []string{"lua"}, commands: []coreCommand{{"lua", "-v", `Lua \d+`}}},
	"powershell": {aliases: []string{"powershell", "pwsh"}, commands: []coreCommand{{"pwsh", "--version", `PowerShell \d+`}}},
	"erlang":     {aliases: []string{"erlang", "erl"}, commands: []coreCommand{{"erl", "-version", `version \d+`}}},
	"elixir":     {aliases: []string{"elixir"}, commands: []coreCommand{{"elixir", "--version", `Elixir \d+`}}},
	"julia":      {aliases: []string{"julia"}, commands: []coreCommand{{"julia", "--version", `julia version \d+`}}},
}

// coreBuiltin is core.sensor.builtin, which keeps its ref.
var coreBuiltin = coreRuntime{aliases: []string{"builtin"}, roles: []string{"sensor"}}

// verification is the part of distributions that says how to verify.
func (r coreRuntime) verification() any {
	if len(r.commands) == 0 {
		return map[string]any{"always_available": true}
	}
	commands := make([]map[string]any, len(r.commands))
	for i, c := range r.commands {
		commands[i] = map[string]any{"binary": c.binary, "args": []string{c.args}, "pattern": c.pattern, "priority": i + 1}
	}
	return map[string]any{"commands": commands}
}

// coreNames is a VALUES list (alias, name) of all names of the core pack.
func coreNames() string {
	var rows []string
	for _, name := range slices.Sorted(maps.Keys(coreRuntimes)) {
		names := coreRuntimes[name].aliases
		if !slices.Contains(names, name) {
			names = append(slices.Clone(names), name)
		}
		for _, alias := range names {
			rows = append(rows, fmt.Sprintf("(%s, %s)", literal(alias), literal(name)))
		}
	}
	return "VALUES " + strings.Join(rows, ", ")
}

// coreDefinitions is a VALUES list (ref, aliases, roles, verification).
func coreDefinitions() string {
	row := func(ref string, r coreRuntime) string {
		roles := "NULL::jsonb"
		if r.roles != nil {
			roles = jsonLiteral(r.roles)
		}
		return fmt.Sprintf("(%s, %s, %s, %s)", literal(ref), jsonLiteral(r.aliases), roles, jsonLiteral(r.verification()))
	}
	rows := []string{row(builtinRef, coreBuiltin)}
	for _, name := range slices.Sorted(maps.Keys(coreRuntimes)) {
		rows = append(rows, row(corePack+"."+name, coreRuntimes[name]))
	}
	return "VALUES " + strings.Join(rows, ",\n  ")
}

func jsonLiteral(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // only values of this file come here
	}
	return literal(string(text)) + "::jsonb"
}
