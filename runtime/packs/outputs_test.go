package packs_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/version"
)

// answer is the real output of a tool.
type answer struct {
	ref            string
	binary         string
	args           []string
	stdout, stderr string
	// want is the version, or several of them separated by blanks. Empty means an impostor, which must not count.
	want string
}

var answers = []answer{
	{"core.python", "python3", []string{"--version"}, "Python 3.11.7\n", "", "3.11.7"},
	{"core.python", "python3", []string{"--version"}, "Python 3.13.0rc1\n", "", "3.13.0-rc1"},
	{"core.python", "python3", []string{"--version"}, "Python 3.9.16 (7.3.11+dfsg-2+deb12u3, Dec 30 2024, 22:36:23)\n[PyPy 7.3.11 with GCC 12.2.0]\n", "", "3.9.16"},
	{"core.python", "python3", []string{"--version"}, "GraalPy 3.11.7 (Oracle GraalVM Native 24.1.1)\n", "", "3.11.7"},
	{"core.python", "python", []string{"--version"}, "", "Python 2.7.18\n", ""},
	{"core.python", "python", []string{"--version"}, "Python 3.12.1\n", "", "3.12.1"},

	{"core.nodejs", "node", []string{"--version"}, "v20.20.2\n", "", "20.20.2"},
	{"core.nodejs", "node", []string{"--version"}, "v23.0.0-nightly2024080157f1d4d2a6\n", "", "23.0.0-nightly2024080157f1d4d2a6"},
	{"core.nodejs", "node", []string{"--version"}, "LinuxNode v0.3.2\n", "", ""}, // of amateur radio

	{"core.shell", "bash", []string{"--version"}, "GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)\n" +
		"Copyright (C) 2022 Free Software Foundation, Inc.\n", "", "5.2.15"},
	{"core.shell", "bash", []string{"--version"}, "zsh 5.9 (x86_64-debian-linux-gnu)\n", "", ""},

	{"core.go", "go", []string{"version"}, "go version go1.26.8 linux/amd64\n", "", "1.26.8"},
	{"core.go", "go", []string{"version"}, "go version go1.22rc1 linux/amd64\n", "", "1.22.0-rc1"},
	{"core.go", "go", []string{"version"}, "go version devel go1.24-af9a8b2 Mon Jul 1 12:00:00 2024 +0000 linux/amd64\n", "", "1.24.0-devel"},
	{"core.go", "go", []string{"version"}, "version: gofish 0.15\n", "", ""},

	{"core.java", "java", []string{"-version"}, "", "openjdk version \"17.0.15\" 2025-04-15\n" +
		"OpenJDK Runtime Environment (build 17.0.15+6-Debian-1deb12u1)\n" +
		"OpenJDK 64-Bit Server VM (build 17.0.15+6-Debian-1deb12u1, mixed mode, sharing)\n", "17.0.15"},
	{"core.java", "java", []string{"-version"}, "", "Picked up JAVA_TOOL_OPTIONS: -Xmx1.5g\nopenjdk version \"1.8.0_392\"\n" +
		"OpenJDK Runtime Environment (build 1.8.0_392-8u392-ga-1~deb9u1-b08)\n", "8.0.392"},
	{"core.java", "java", []string{"-version"}, "", "java version \"21\" 2023-09-19 LTS\n" +
		"Java(TM) SE Runtime Environment (build 21+35-LTS-2513)\n", "21.0.0"},
	{"core.java", "java", []string{"-version"}, "", "openjdk version \"24-ea\" 2025-03-18\n", "24.0.0-ea"},
	{"core.java", "java", []string{"-version"}, "", "The operation couldn't be completed. Unable to locate a Java Runtime.\n", ""},

	{"core.perl", "perl", []string{"--version"}, "\nThis is perl 5, version 36, subversion 0 (v5.36.0) built for x86_64-linux-gnu-thread-multi\n" +
		"(with 54 registered patches, see perl -V for more detail)\n\nCopyright 1987-2022, Larry Wall\n", "", "5.36.0"},
	{"core.perl", "perl", []string{"--version"}, "\nThis is perl, v5.8.8 built for i486-linux-gnu-thread-multi\n\nCopyright 1987-2006, Larry Wall\n", "", "5.8.8"},

	{"core.r", "Rscript", []string{"--version"}, "Rscript (R) version 4.2.2 Patched (2022-11-10 r83330)\n", "", "4.2.2"},
	{"core.r", "Rscript", []string{"--version"}, "", "R scripting front-end version 3.4.1 (2017-06-30)\n", "3.4.1"},

	{"core.ruby", "ruby", []string{"--version"}, "ruby 3.1.7p261 (2025-03-26 revision 0a3704f218) [x86_64-linux-gnu]\n", "", "3.1.7"},
	{"core.ruby", "ruby", []string{"--version"}, "jruby 9.4.5.0 (3.1.4) 2023-11-02 1abae2700f OpenJDK 64-Bit Server VM 17.0.9+9 on 17.0.9+9 +jit [x86_64-linux]\n", "", "3.1.4"},
	{"core.ruby", "ruby", []string{"--version"}, "truffleruby 23.1.1, like ruby 3.2.2, Oracle GraalVM Native [x86_64-linux]\n", "", "3.2.2"},
	{"core.ruby", "ruby", []string{"--version"}, "", "rbenv: version `3.3.0' is not installed (set by /home/x/.ruby-version)\n", ""},

	{"core.php", "php", []string{"--version"}, "PHP 8.2.36 (cli) (built: Nov 18 2026 20:02:04) (NTS)\nCopyright (c) The PHP Group\n" +
		"Zend Engine v4.2.36, Copyright (c) Zend Technologies\n", "", "8.2.36"},
	{"core.php", "php", []string{"--version"}, "PHP Warning:  PHP Startup: Unable to load dynamic library 'x.so' (tried: /usr/lib/php/20220829/x.so) in Unknown on line 0\n" +
		"PHP 8.1.2-1ubuntu2.19 (cli) (built: Sep 30 2024 16:25:25) (NTS)\n", "", "8.1.2"},
	{"core.php", "php", []string{"--version"}, "PHP 5.3.3-7+squeeze19 with Suhosin-Patch (cli) (built: Feb 17 2014 10:10:23)\n", "", "5.3.3"},
	{"core.php", "php", []string{"--version"}, "PHP 5.2.6-1+lenny16 with Suhosin-Patch 0.9.6.2 (cli) (built: Nov 22 2011 01:50:58)\n", "", "5.2.6"},
	{"core.php", "php", []string{"--version"}, "PHP 8.2.36 (cgi-fcgi) (built: Nov 18 2026 20:02:04)\n", "", ""},

	{"core.dotnet", "dotnet", []string{"--list-runtimes"}, "Microsoft.AspNetCore.App 9.0.1 [/usr/share/dotnet/shared/Microsoft.AspNetCore.App]\n" +
		"Microsoft.NETCore.App 6.0.36 [/usr/share/dotnet/shared/Microsoft.NETCore.App]\n" +
		"Microsoft.NETCore.App 8.0.10 [/usr/share/dotnet/shared/Microsoft.NETCore.App]\n", "", "8.0.10 6.0.36"},
	{"core.dotnet", "dotnet", []string{"--list-runtimes"}, "Microsoft.NETCore.App 9.0.0-rc.2.24473.5 [/home/x/.dotnet/shared/Microsoft.NETCore.App]\n", "", "9.0.0-rc.2.24473.5"},
	{"core.dotnet", "dotnet", []string{"--list-runtimes"}, "", "", ""}, // the command without any runtime

	{"core.deno", "deno", []string{"--version"}, "deno 2.0.2 (stable, release, x86_64-unknown-linux-gnu)\nv8 12.9.202.13-rusty\ntypescript 5.6.2\n", "", "2.0.2"},

	{"core.bun", "bun", []string{"--revision"}, "1.1.34+5e5e7c60f\n", "", "1.1.34"},
	{"core.bun", "bun", []string{"--revision"}, "1.1.35-canary.12+f1ab9c7e2\n", "", "1.1.35-canary.12"},
	{"core.bun", "bun", []string{"--revision"}, "2.4.1\n", "", ""},

	{"core.rust", "rustc", []string{"--version"}, "rustc 1.95.0 (59807616e 2026-04-14)\n", "", "1.95.0"},
	{"core.rust", "rustc", []string{"--version"}, "rustc 1.97.0-nightly (0ffffb8b5 2026-05-02)\n", "", "1.97.0-nightly"},
	{"core.rust", "rustc", []string{"--version"}, "rustc 1.63.0\n", "", "1.63.0"}, // Debian's

	{"core.lua", "lua", []string{"-v"}, "Lua 5.4.4  Copyright (C) 1994-2022 Lua.org, PUC-Rio\n", "", "5.4.4"},
	{"core.lua", "lua", []string{"-v"}, "", "Lua 5.1.5  Copyright (C) 1994-2012 Lua.org, PUC-Rio\n", "5.1.5"},
	{"core.lua", "lua", []string{"-v"}, "LuaJIT 2.1.0-beta3 -- Copyright (C) 2005-2022 Mike Pall. https://luajit.org/\n", "", ""},

	{"core.powershell", "pwsh", []string{"--version"}, "PowerShell 7.4.5\n", "", "7.4.5"},
	{"core.powershell", "pwsh", []string{"--version"}, "PowerShell 7.5.0-preview.3\n", "", "7.5.0-preview.3"},

	{"core.erlang", "erl", []string{"-noshell", "-eval", `{ok, V} = file:read_file(filename:join([code:root_dir(), "releases", ` +
		`erlang:system_info(otp_release), "OTP_VERSION"])), io:put_chars(["Erlang/OTP ", V]), halt().`}, "Erlang/OTP 25.2.3\n", "", "25.2.3"},
	{"core.erlang", "erl", []string{"-noshell", "-eval", `io:put_chars(["Erlang/OTP ", erlang:system_info(otp_release)]), halt().`}, "Erlang/OTP 25", "", "25.0.0"},

	{"core.elixir", "elixir", []string{"--version"}, "Erlang/OTP 25 [erts-13.1.5] [source] [64-bit] [smp:2:2] [ds:2:2:10] [async-threads:1] [jit:ns]\n\n" +
		"Elixir 1.14.0 (compiled with Erlang/OTP 24)\n", "", "1.14.0"},
	{"core.elixir", "elixir", []string{"--version"}, "Erlang/OTP 27 [erts-15.0.1] [source] [64-bit]\n\nElixir 1.18.0-rc.0 (c1ad1cd) (compiled with Erlang/OTP 25)\n", "", "1.18.0-rc.0"},

	{"core.julia", "julia", []string{"--version"}, "julia version 1.10.5\n", "", "1.10.5"},
	{"core.julia", "julia", []string{"--version"}, "julia version 1.12.0-DEV.1234\n", "", "1.12.0-dev.1234"},
}

// TestCoreCommandsReadRealAnswers checks that each command of the core pack matches its
// tool's output, reads the tool's version, and refuses other tools of the same name.
func TestCoreCommandsReadRealAnswers(t *testing.T) {
	covered := map[string]bool{}
	for _, a := range answers {
		c, ok := commandOf(a.ref, a.binary, a.args)
		if !ok {
			t.Errorf("%s has no command %s %q", a.ref, a.binary, a.args)
			continue
		}
		covered[a.ref+" "+a.binary+" "+c.Args[len(c.Args)-1]] = true
		output := a.stdout + "\n" + a.stderr
		if matches := regexp.MustCompile(c.Pattern).MatchString(output); matches != (a.want != "") {
			t.Errorf("%s: pattern %s matches %q: %t", a.ref, c.Pattern, output, matches)
		}
		if a.want == "" {
			continue
		}
		got, raw, ok := version.Extract(output)
		if c.VersionPattern != "" {
			got, raw, ok = version.ExtractPattern(regexp.MustCompile(c.VersionPattern), output)
		}
		all := got.String()
		if c.AllVersions {
			all = ""
			for _, e := range version.ExtractAll(regexp.MustCompile(c.VersionPattern), output) {
				all = strings.TrimSpace(all + " " + e.Version.String())
			}
		}
		if !ok || all != a.want {
			t.Errorf("%s: version %q (%q) in %q, want %s", a.ref, got, raw, output, a.want)
		}
	}
	for _, d := range packs.Core().Definitions {
		for _, c := range d.Distributions.Verification.Commands {
			if key := d.Ref + " " + c.Binary + " " + c.Args[len(c.Args)-1]; !covered[key] && c.Binary != "nodejs" {
				t.Errorf("no answer tests %q", key)
			}
		}
	}
}

func commandOf(ref, binary string, args []string) (metadata.Command, bool) {
	for _, d := range packs.Core().Definitions {
		if d.Ref != ref {
			continue
		}
		for _, c := range d.Distributions.Verification.Ordered() {
			if c.Binary == binary && slices.Equal(c.Args, args) {
				return c, true
			}
		}
	}
	return metadata.Command{}, false
}

func TestCoreJavaReleaseFile(t *testing.T) {
	d, _ := metadata.NewIndex(packs.Core().Definitions).Resolve("java")
	file := d.Distributions.Verification.VersionFile
	for text, want := range map[string]string{
		"IMPLEMENTOR=\"Debian\"\nJAVA_RUNTIME_VERSION=\"17.0.15+6-Debian-1deb12u1\"\nJAVA_VERSION=\"17.0.15\"\nJAVA_VERSION_DATE=\"2025-04-15\"\n": "17.0.15",
		"JAVA_VERSION=\"1.8.0_392\"\nOS_NAME=\"Linux\"\n": "8.0.392",
		"JAVA_VERSION=\"1.8.0\"\nOS_NAME=\"Linux\"\n":     "8.0.0",
	} {
		if got, _, ok := version.ExtractPattern(regexp.MustCompile(file.Pattern), text); !ok || got.String() != want {
			t.Errorf("got %q, want %s", got, want)
		}
	}
	if file.Path != "../release" {
		t.Errorf("the file is %s", file.Path)
	}
}
