package hostcmd

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/core"
	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/schema/metadata"
)

// trusted returns the commands of the core pack and of the packs that the host trusts.
// A pack that cannot be read, or that others can change, is left out with a warning:
// that is safe, and the host still detects other runtimes. With --strict the error names
// all such packs.
func (s *definitionFlags) trusted(env *cli.Env) ([]host.Command, error) {
	commands := core.Commands()
	cfg := packs.Config{Strict: env.Strict, Protected: true}
	var faults []error
	add := func(dir, about string, warn func(string)) {
		pack, err := loadPack(dir, cfg, about+" is not trusted", warn)
		switch {
		case err == nil:
			commands = append(commands, detect.Commands(pack.Definitions)...)
		case env.Strict:
			faults = append(faults, errors.New(err.Error()+neighbour(dir)))
		default:
			env.Warn(err.Error() + neighbour(dir))
		}
	}
	place := env.File.Origin("policy.trusted_packs", nil, env.Getenv).Place("policy.trusted_packs") // --pack adds to them
	for _, dir := range env.File.Policy.TrustedPacks {
		add(dir, place+": "+dir, env.Warn)
	}
	for _, dir := range s.Pack {
		// withPacks has printed the warnings of the pack.
		add(dir, "pack "+dir, func(string) {})
	}
	return commands, errors.Join(faults...)
}

// neighbour returns a guess at the folder that was meant, if dir does not exist.
func neighbour(dir string) string {
	if _, err := host.Stat(dir); err == nil || errors.Is(err, host.ErrHangs) {
		return ""
	}
	entries, err := os.ReadDir(filepath.Dir(dir))
	if err != nil {
		return ""
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if near := metadata.Nearest(filepath.Base(dir), names); near != "" {
		return "; did you mean " + filepath.Join(filepath.Dir(dir), near) + "?"
	}
	return ""
}
