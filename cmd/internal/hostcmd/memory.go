package hostcmd

import (
	"cmp"
	"path/filepath"
	"runtime"
	"time"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/schema/metadata"
)

// memoryFlags say which answers of earlier starts count.
type memoryFlags struct {
	MaxAge *time.Duration `help:"How old a remembered answer may be before its command is started again; 0 starts everything (default: ${role}.max_age, else ${max_age})." env:"ATTUNE_${ROLE}_MAX_AGE" placeholder:"TIME"`
	Fresh  bool           `help:"Start every command, also those whose files have not changed since they were last started."`
}

// memory returns the memory of this user. Without a home folder it lasts as long as the
// process.
func (f *memoryFlags) memory(env *cli.Env, role metadata.Role) (*detect.Memory, error) {
	cfg := detect.MemoryConfig{Fresh: f.Fresh}
	if age := cmp.Or(f.MaxAge, section(env, role).MaxAge); age != nil {
		if *age < 0 {
			return nil, env.Refused(string(role)+".max_age", negative(*age))
		}
		cfg.MaxAge = max(*age, 1) // zero is the default
	}
	if folder := cacheFolder(env.Getenv); folder != "" {
		cfg.Path = filepath.Join(folder, "attune", "verified.json")
	}
	return detect.NewMemory(cfg), nil
}

// cacheFolder returns the folder of os.UserCacheDir in an environment, or an empty text if it names none.
func cacheFolder(getenv func(string) string) string {
	folder := getenv("XDG_CACHE_HOME")
	switch home := getenv("HOME"); {
	case runtime.GOOS == "darwin" && home != "":
		return filepath.Join(home, "Library", "Caches")
	case folder == "" && home != "":
		return filepath.Join(home, ".cache")
	case !filepath.IsAbs(folder):
		return ""
	}
	return folder
}
