package host

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A probe's environment consists of the two tables below and the names that a definition
// asks for. Excluded variables that would change an answer are LANG and LC_*,
// JAVA_TOOL_OPTIONS, PYENV_VERSION and the like, NODE_OPTIONS, PYTHONPATH, GOFLAGS and
// those for proxies.

// setVars lists the variables that every probe gets with a fixed value.
var setVars = []struct{ name, value, reason string }{
	{"LC_ALL", "C.UTF-8", "answers are English and UTF-8; a host without it falls back to C"},
	{"PERL_BADLANG", "0", "where C.UTF-8 is missing, perl would warn before it answers"},
	{"TERM", "dumb", "no cursor movements"},
	{"NO_COLOR", "1", "no colors"},
	{"DO_NOT_TRACK", "1", "a probe does not phone home (the convention many tools share)"},

	{"RUSTUP_AUTO_INSTALL", "0", "rustup's proxies would install the toolchain that is asked for"},
	{"GOTOOLCHAIN", "local", "go would download another toolchain"},
	{"TEST_TELEMETRY_DIR", "/dev/null", "go would count its starts in files; nothing else switches that off for one process"},
	{"MISE_AUTO_INSTALL", "0", "mise would install what its config names"},
	{"MISE_EXEC_AUTO_INSTALL", "0", "the same through mise exec"},
	{"MISE_NOT_FOUND_AUTO_INSTALL", "0", "the same through its shims"},
	{"MISE_OFFLINE", "1", "mise would ask for newer versions"},
	{"COREPACK_ENABLE_NETWORK", "0", "corepack's yarn and pnpm would download themselves"},
	{"UV_PYTHON_DOWNLOADS", "never", "uv would install a Python"},
	{"UV_OFFLINE", "1", "uv would ask its index"},
	{"PROTO_AUTO_INSTALL", "false", "proto's shims would install the tool that is asked for"},
	{"AQUA_DISABLE_LAZY_INSTALL", "true", "aqua's proxies would install the tool that is asked for"},
	{"PKGX_NO_INSTALL", "1", "pkgx's shims would install the tool that is asked for"},
	{"RYE_NO_AUTO_INSTALL", "1", "rye's shims would install rye"},

	{"DOTNET_CLI_TELEMETRY_OPTOUT", "1", "dotnet would report each command"},
	{"DOTNET_NOLOGO", "1", "dotnet's first run prints a welcome"},
	{"DOTNET_SKIP_FIRST_TIME_EXPERIENCE", "1", "dotnet's first run fills a cache"},
	{"DOTNET_GENERATE_ASPNET_CERTIFICATE", "0", "dotnet's first run makes a certificate"},
	{"DOTNET_ADD_GLOBAL_TOOLS_TO_PATH", "0", "dotnet's first run edits the user's profile"},
	{"DOTNET_CLI_WORKLOAD_UPDATE_NOTIFY_DISABLE", "1", "dotnet would ask for newer workloads"},
	{"DOTNET_CLI_UI_LANGUAGE", "en", "dotnet does not heed LC_ALL alone"},
	{"POWERSHELL_TELEMETRY_OPTOUT", "1", "pwsh would report its start"},
	{"POWERSHELL_UPDATECHECK", "Off", "pwsh would ask for newer versions"},
	{"DENO_NO_UPDATE_CHECK", "1", "deno would ask for newer versions"},
	{"DENO_NO_PROMPT", "1", "deno would ask for permissions"},
	{"NO_UPDATE_NOTIFIER", "1", "npm and its kin would ask for newer versions"},
	{"PIP_DISABLE_PIP_VERSION_CHECK", "1", "pip would ask for newer versions"},
	{"PYTHONDONTWRITEBYTECODE", "1", "a probe leaves no files behind"},
	{"ERL_CRASH_DUMP_SECONDS", "0", "a failing erl would write a dump into its working directory"},
}

// passVars lists the host's variables that every probe gets if they are set. They locate
// the files of tools and version managers, or a tool fails without them. None of them chooses
// a version.
var passVars = []struct{ name, reason string }{
	{"TMPDIR", "tools that unpack themselves; /tmp may be noexec"},
	{"XDG_CONFIG_HOME", "mise, asdf, go and dotnet keep settings there"},
	{"XDG_DATA_HOME", "mise and fnm keep versions there"},
	{"XDG_CACHE_HOME", "caches stay where they belong"},
	{"XDG_STATE_HOME", "mise keeps there which configs are trusted"},

	{"PYENV_ROOT", "pyenv's shims"},
	{"RBENV_ROOT", "rbenv's shims"},
	{"NODENV_ROOT", "nodenv's shims"},
	{"PHPENV_ROOT", "phpenv's shims"},
	{"PLENV_ROOT", "plenv's shims"},
	{"JENV_ROOT", "jenv's shims"},
	{"GOENV_ROOT", "goenv's shims"},
	{"ASDF_DIR", "asdf's shims"},
	{"ASDF_DATA_DIR", "asdf's shims"},
	{"ASDF_CONFIG_FILE", "asdf's settings"},
	{"MISE_DATA_DIR", "mise's shims"},
	{"MISE_CONFIG_DIR", "mise's settings"},
	{"MISE_CACHE_DIR", "mise's shims"},
	{"MISE_STATE_DIR", "mise keeps there which configs are trusted"},
	{"NVM_DIR", "nvm's versions"},
	{"FNM_DIR", "fnm's versions"},
	{"VOLTA_HOME", "volta's shims"},
	{"SDKMAN_DIR", "sdkman's versions"},
	{"RUSTUP_HOME", "rustup's proxies"},
	{"CARGO_HOME", "rustup's proxies"},
	{"JULIAUP_DEPOT_PATH", "juliaup's launcher"},
	{"UV_PYTHON_INSTALL_DIR", "uv's versions"},

	{"JAVA_HOME", "launchers of kotlin, scala, groovy and others refuse without it"},
	{"DOTNET_ROOT", "programs that look for the shared dotnet"},
	{"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "dotnet and pwsh abort on a host without ICU unless it is set"},
}

// locates reports whether a location may begin with a variable.
func locates(name string) bool {
	return slices.ContainsFunc(passVars, func(v struct{ name, reason string }) bool { return v.name == name })
}

// refusedNames lists patterns of upper-case names that no definition gets. Definitions come
// from a database, and the output of their commands goes back into it.
var refusedNames = []struct{ pattern, reason string }{
	{"ATTUNE_*", "it belongs to attune and may hold a database URL"},
	{"*DATABASE_URL*", "it holds a database URL"},
	{"*_DSN", "it holds a database URL"},
	{"PG*", "it may hold a database's password"},
	{"*SECRET*", "its name says that it is secret"},
	{"*TOKEN*", "its name says that it is secret"},
	{"*PASS*", "its name says that it is secret"},
	{"*_PWD", "its name says that it is secret"},
	{"*_PAT", "its name says that it is secret"},
	{"*COOKIE*", "its name says that it is secret"},
	{"*SESSION*", "its name says that it is secret"},
	{"*CREDENTIAL*", "its name says that it is secret"},
	{"*KEY", "its name says that it is secret"},
	{"*KEY_*", "its name says that it is secret"},
	{"KUBECONFIG", "it leads to a cluster's keys"},
	{"*_AUTH", "its name says that it is secret"},
	{"SSH_*", "it leads to the user's keys"},
	{"GPG_*", "it leads to the user's keys"},
	{"DBUS_*", "it leads into the user's session"},

	{"LD_*", "it can put other code into the command"},
	{"DYLD_*", "it can put other code into the command"},
	{"GCONV_PATH", "it can put other code into the command"},
	{"BASH_ENV", "a shell would run the file it names"},
	{"ENV", "a shell would run the file it names"},
	{"BASH_FUNC_*", "it replaces commands of a shell script"},
	{"SHELLOPTS", "it changes how a shell script runs"},
	{"BASHOPTS", "it changes how a shell script runs"},
	{"PS4", "a shell would evaluate it"},
	{"IFS", "it changes how a shell script runs"},
	{"NODE_OPTIONS", "it can put other code into the command"},
	{"PERL5OPT", "it can put other code into the command"},
	{"RUBYOPT", "it can put other code into the command"},
	{"PYTHONSTARTUP", "it can put other code into the command"},
	{"JAVA_TOOL_OPTIONS", "it can put other code into the command, and prints before its answer"},
	{"_JAVA_OPTIONS", "it can put other code into the command, and prints before its answer"},
	{"JDK_JAVA_OPTIONS", "it can put other code into the command, and prints before its answer"},
	{"RUSTUP_TOOLCHAIN", "it makes a shim answer for another version"},
	{"*ENV_VERSION", "it makes a shim answer for another version"},
	{"ASDF_*_VERSION", "it makes a shim answer for another version"},
	{"MISE_*_VERSION", "it makes a shim answer for another version"},
	{"LANG", "answers must not change with the language"},
	{"LANGUAGE", "answers must not change with the language"},
	{"LC_*", "answers must not change with the language"},
}

// variableName matches the names that a shell can set.
var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// RefusedEnv returns the reason why no definition gets a variable of this name, or "".
// Run leaves out refused names, and all values that hold a visible password.
func RefusedEnv(name string) string {
	if !variableName.MatchString(name) {
		return "it must be letters, digits and _, and must not begin with a digit"
	}
	if fixedVar(name) {
		return "every probe gets it with a fixed value"
	}
	upper := strings.ToUpper(name)
	for _, r := range refusedNames {
		if ok, _ := filepath.Match(r.pattern, upper); ok {
			return r.reason
		}
	}
	return ""
}

// fixedVar reports whether the host's value is never passed on.
func fixedVar(name string) bool {
	switch name {
	case "PATH", "HOME", "USER", "LOGNAME":
		return true
	}
	for _, v := range setVars {
		if v.name == name {
			return true
		}
	}
	return false
}

// password matches scheme://user:password@host, and password=… as in the query of a URL
// or in a list of keywords.
var password = regexp.MustCompile(`(?i)://[^\s@]*:[^\s]*@|(?:pass|passwd|password|pwd|secret|token)\s*=`)

// holdsPassword reports whether a password may be visible in a value.
func holdsPassword(value string) bool { return password.MatchString(value) }
