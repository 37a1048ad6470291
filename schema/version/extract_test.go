package version_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/attune-go/attune/schema/version"
)

const perl = "\nThis is perl 5, version 36, subversion 0 (v5.36.0) built for x86_64-linux-gnu-thread-multi\n" +
	"(with 54 registered patches, see perl -V for more detail)\n\nCopyright 1987-2022, Larry Wall\n"

func TestExtract(t *testing.T) {
	tests := []struct{ name, output, want, raw string }{
		{"python", "Python 3.11.7\n\n", "3.11.7", "Python 3.11.7"},
		{"python rc", "Python 3.13.0rc1\n", "3.13.0-rc1", "Python 3.13.0rc1"},
		{"python 2 on standard error", "\nPython 2.7.18\n", "2.7.18", "Python 2.7.18"},
		{"python from git", "Python 3.12.0+\n", "3.12.0", "Python 3.12.0+"},
		{"conda", "Python 3.12.1 | packaged by conda-forge | (main, Dec 23 2023) [GCC 12.3.0]", "3.12.1", ""},
		{"pypy", "Python 3.9.16 (7.3.11+dfsg-2, Feb 06 2023, 16:52:03)\n[PyPy 7.3.11 with GCC 12.2.0]\n", "3.9.16", "Python 3.9.16 (7.3.11+dfsg-2, Feb 06 2023, 16:52:03)"},
		{"graalpy", "GraalPy 3.10.13 (Oracle GraalVM Native 24.0.0)", "3.10.13", ""},
		{"node", "v20.20.2\n", "20.20.2", "v20.20.2"},
		{"node nightly", "v21.0.0-nightly20230801c9c6f7d0f8\n", "21.0.0-nightly20230801c9c6f7d0f8", ""},
		{"java 8", "\nopenjdk version \"1.8.0_192\"\nOpenJDK Runtime Environment (build 1.8.0_192-b12)\n", "8.0.192", `openjdk version "1.8.0_192"`},
		{"java 8 without update", "java version \"1.8.0\"\nJava(TM) SE Runtime Environment (build 8.0.5.10 - pxa6480sr5fp10)\n", "8.0.0", `java version "1.8.0"`},
		{"quoted, but not Java's", "frob version \"1.8.0\"\n", "1.8.0", ""},
		{"java 17", "\nopenjdk version \"17.0.4.1\" 2022-08-12\nOpenJDK Runtime Environment (build 17.0.4.1+1)\n", "17.0.4.1", ""},
		{"java first of a line", "openjdk version \"21\" 2023-09-19 LTS\nOpenJDK Runtime Environment Zulu21.28+85-CA (build 21+35-LTS)\n", "21.0.0", ""},
		{"java early access", "openjdk version \"22-ea\" 2024-03-19\nOpenJDK Runtime Environment (build 22-ea+15-1134)\n", "22.0.0-ea", ""},
		{"java internal", "openjdk version \"17-internal\" 2021-09-14\n", "17.0.0-internal", ""},
		{"graalvm", "openjdk version \"17\" 2021-09-14\nOpenJDK Runtime Environment GraalVM CE 21.3.0 (build 17+35-jvmci-21.3-b05)\n", "17.0.0", ""},
		{"openj9", "openjdk version \"11.0.20.1\" 2023-08-24\nIBM Semeru Runtime Open Edition 11.0.20.1 (build 11.0.20.1+1)\nEclipse OpenJ9 VM 11.0.20.1 (build openj9-0.40.0, JRE 11)\n", "11.0.20.1", ""},
		{"java --version", "openjdk 21.0.1 2023-10-17\nOpenJDK Runtime Environment (build 21.0.1+12-29)\n", "21.0.1", ""},
		{"java options", "\nPicked up JAVA_TOOL_OPTIONS: -Dfoo=1.2.3\nopenjdk version \"17.0.15\" 2025-04-15\n", "17.0.15", `openjdk version "17.0.15" 2025-04-15`},
		{"java options, unquoted version", "NOTE: Picked up JDK_JAVA_OPTIONS: -Dfoo=1.2.3 bar=4.5\njavac 17.0.15\n", "17.0.15", ""},
		{"java warning", "OpenJDK 64-Bit Server VM warning: Options -Xverify:none deprecated in JDK 13.1.\nopenjdk 21.0.1 2023-10-17\n", "21.0.1", ""},
		{"java release file", "IMPLEMENTOR=\"Debian\"\nJAVA_RUNTIME_VERSION=\"17.0.15+6-Debian-1deb12u1\"\n", "17.0.15", ""},
		{"bash beta", "GNU bash, version 5.2.0(1)-beta (x86_64-pc-linux-gnu)\n", "5.2.0-beta", ""},
		{"bash candidate", "GNU bash, version 5.3.0(1)-rc2 (x86_64-pc-linux-gnu)\n", "5.3.0-rc2", ""},
		{"node canary", "v24.0.0-v8-canary20250101abcdef\n", "24.0.0-canary20250101abcdef", ""},
		{"R under development", "Rscript (R) version 4.6.0 Under development (unstable) (2026-01-03 r89269)\n", "4.6.0-devel", ""},
		{"bash", "GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)\nCopyright (C) 2022 Free Software Foundation, Inc.\nLicense GPLv3+: GNU GPL version 3 or later\n", "5.2.15", ""},
		{"zsh", "zsh 5.9 (x86_64-debian-linux-gnu)\n", "5.9.0", ""},
		{"ksh", "\n  version         sh (AT&T Research) 93u+m/1.0.4 2022-10-22\n", "1.0.4", ""},
		{"fish", "fish, version 3.6.0\n", "3.6.0", ""},
		{"busybox", "BusyBox v1.36.1 (2023-07-27 17:12:24 UTC) multi-call binary.\nBusyBox is copyrighted by many authors between 1998-2015.\n", "1.36.1", ""},
		{"perl", perl, "5.36.0", "This is perl 5, version 36, subversion 0 (v5.36.0) built for x86_64-linux-gnu-thread-multi"},
		{"perl after a locale warning", perl + "\nperl: warning: Setting locale failed.\nperl: warning: Falling back to 1.2\n", "5.36.0", ""},
		{"go", "go version go1.22rc1 linux/amd64\n", "1.22.0-rc1", "go version go1.22rc1 linux/amd64"},
		{"go release", "go version go1.26.8 linux/amd64\n", "1.26.8", ""},
		{"go with BoringCrypto", "go version go1.16.4b7 linux/amd64\n", "1.16.4", ""},
		{"go beta", "go version go1.17beta1 linux/amd64\n", "1.17.0-beta1", ""},
		{"go from git", "go version devel go1.23-2e6387cbec Thu Feb 1 2024 linux/amd64\n", "1.23.0-devel", ""},
		{"go from git, newer", "go version go1.26-devel_2e6387cbec Mon Jan 5 2026 linux/amd64\n", "1.26.0-devel", ""},
		{"ruby", "ruby 3.1.2p20 (2022-04-12 revision 4491bb740a) [x86_64-linux-gnu]\n", "3.1.2", ""},
		{"ruby dev", "ruby 3.3.0dev (2023-06-07T10:00:00Z master 0a1b2c3d4e) [x86_64-linux]\n", "3.3.0-dev", ""},
		{"jruby", "jruby 9.4.3.0 (3.1.4) 2023-06-07 3086960792 OpenJDK 64-Bit Server VM 17.0.7+7 on 17.0.7+7 +jit [x86_64-linux]\n", "3.1.4", ""},
		{"jruby 1.7", "jruby 1.7.27 (1.9.3p551) 2017-05-11 8cdb01a on OpenJDK 64-Bit Server VM 1.8.0_292\n", "1.9.3", ""},
		{"truffleruby", "truffleruby 23.1.1, like ruby 3.2.2, GraalVM CE Native [x86_64-linux]\n", "3.2.2", ""},
		{"gcc crosstool", "gcc (crosstool-NG 1.25.0) 13.2.0\nCopyright (C) 2023 Free Software Foundation, Inc.\n", "13.2.0", ""},
		{"gcc debian", "gcc (Debian 12.2.0-14+deb12u1) 12.2.0\n", "12.2.0", ""},
		{"clang", "Ubuntu clang version 14.0.0-1ubuntu1.1\nTarget: x86_64-pc-linux-gnu\n", "14.0.0", ""},
		{"elixir", "Erlang/OTP 25 [erts-13.1.5] [source] [64-bit] [smp:2:2] [ds:2:2:10] [async-threads:1] [jit:ns]\n\nElixir 1.14.0 (compiled with Erlang/OTP 24)\n", "1.14.0", "Elixir 1.14.0 (compiled with Erlang/OTP 24)"},
		{"erlang", "Erlang/OTP 25 [erts-13.1.5] [source] [64-bit]\n", "25.0.0", ""},
		{"erlang asked for its release", "25\n", "25.0.0", "25"},
		{"erlang emulator", "Erlang (SMP,ASYNC_THREADS) (BEAM) emulator version 13.1.5\n", "13.1.5", ""},
		{"deno", "deno 1.40.0 (release, x86_64-unknown-linux-gnu)\nv8 12.0.267.8\ntypescript 5.3.3\n", "1.40.0", ""},
		{"bun", "1.0.25\n", "1.0.25", ""},
		{"powershell", "PowerShell 7.4.1\n", "7.4.1", ""},
		{"powershell preview", "PowerShell 7.5.0-preview.2\n", "7.5.0-preview.2", ""},
		{"dotnet", "8.0.101\n", "8.0.101", ""},
		{"dotnet in words", ".NET 8.0.101", "8.0.101", ""},
		{"dotnet preview", "8.0.100-preview.7.23376.3\n", "8.0.100-preview.7.23376.3", ""},
		{"julia", "julia version 1.10.0\n", "1.10.0", ""},
		{"julia dev", "julia version 1.11.0-DEV.1234\n", "1.11.0-dev.1234", ""},
		{"lua", "Lua 5.4.4  Copyright (C) 1994-2022 Lua.org, PUC-Rio\n", "5.4.4", ""},
		{"luajit", "LuaJIT 2.1.0-beta3 -- Copyright (C) 2005-2022 Mike Pall. https://luajit.org/\n", "2.1.0-beta3", ""},
		{"php", "PHP 8.2.7 (cli) (built: Jun  9 2023 19:37:27) (NTS)\nCopyright (c) The PHP Group\nZend Engine v4.2.7, Copyright (c) Zend Technologies\n    with Zend OPcache v8.2.7, Copyright (c)\n", "8.2.7", ""},
		{"php ubuntu", "PHP 8.1.2-1ubuntu2.14 (cli) (built: Aug 18 2023 11:41:11) (NTS)\n", "8.1.2", ""},
		{"php rc", "PHP 8.3.0RC6 (cli) (built: Nov  9 2023)\n", "8.3.0-rc6", ""},
		{"r", "R version 4.3.2 (2023-10-31) -- \"Eye Holes\"\nCopyright (C) 2023 The R Foundation\n", "4.3.2", ""},
		{"r alpha", "R version 4.4.0 alpha (2024-03-26 r86209)\n", "4.4.0-alpha", ""},
		{"r patched", "R version 4.3.2 Patched (2023-11-01 r85457)\n", "4.3.2", ""},
		{"rust nightly", "rustc 1.75.0-nightly (abc 2023-10-21)\n", "1.75.0-nightly", ""},
		{"rust beta", "rustc 1.76.0-beta.1 (0a1b2c3d4 2023-12-21)\n", "1.76.0-beta.1", ""},
		{"sqlite", "3.40.1 2022-12-28 14:03:47 df5c253c0b3dd24916e4ec7cf77d3db5294cc9fd45ae7b9c5e82ad8197f3alt1\n", "3.40.1", ""},
		{"psql", "psql (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", "15.18.0", ""},
		{"nginx", "nginx version: nginx/1.22.1\n", "1.22.1", ""},
		{"openssh", "OpenSSH_9.2p1 Debian-2+deb12u1, OpenSSL 3.0.9 30 May 2023\n", "9.2.0", ""},
		{"systemd", "systemd 252 (252.19-1~deb12u1)\n+PAM +AUDIT\n", "252.0.0", ""},
		{"version and one number", "the frobnicator, version 7\n", "7.0.0", ""},

		{"windows line ends", "Picked up X: 1.2\r\nPython 3.12.1\r\n\r\n", "3.12.1", "Python 3.12.1"},
		{"progress overwritten", "loading 10%\rloading 99.9%\rfoo 1.2.3\n", "1.2.3", "foo 1.2.3"},
		{"colours", "\x1b[1;32mdeno\x1b[0m \x1b[33m1.40.0\x1b[0m\n", "1.40.0", "deno 1.40.0"},
		{"window title", "\x1b]0;foo 9.9.9\x07foo 1.2.3\n", "1.2.3", "foo 1.2.3"},
		{"window title ended by ST", "\x1b]0;foo 9.9.9\x1b\\foo 1.2.3\n", "1.2.3", "foo 1.2.3"},
		{"control sequence broken off", "\x1b[1;3\nfoo 1.2.3\n", "1.2.3", "foo 1.2.3"},
		{"window title never ended", "\x1b]0;foo 9.9.9\nfoo 1.2.3\n", "1.2.3", "foo 1.2.3"},
		{"other escapes", "\x1b7foo\x1b8 1.2.3\n\x1b", "1.2.3", "foo 1.2.3"},
		{"byte order mark", "\ufeff8.0.101\n", "8.0.101", ""},
		{"not UTF-8", "caf\xe9 1.2.3 \xff\n", "1.2.3", "caf 1.2.3 "},
		{"shim's warning", "mise WARN  missing: node@18.0.0\nv20.1.0\n", "20.1.0", ""},
		{"log line", "[info] using profile 2.1\nfoo 1.2.3\n", "1.2.3", ""},
		{"timestamp", "2023-06-07 10:00:00.123 starting\nfoo 1.2.3\n", "1.2.3", ""},
		{"ISO timestamp", "2023-06-07T10:00:00.123Z foo 1.2.3\n", "1.2.3", ""},
		{"address with port", "listening on 127.0.0.1:8080\nfoo 1.2.3\n", "1.2.3", ""},
		{"URL", "see https://example.org/v9.9/ for foo 1.2.3\n", "1.2.3", ""},
		{"path", "/usr/lib/foo-9.9/bin/foo: foo 1.2.3\n", "1.2.3", ""},
		{"size", "read 1.5MB of cache\nfoo 1.2.3\n", "1.2.3", ""},
		{"library", "/lib/libtinfo.so.6.1: no version information available\nlibfoo.so.1.2\nfoo 1.2.3\n", "1.2.3", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, raw, ok := version.Extract(tt.output)
			if !ok || v.String() != tt.want {
				t.Fatalf("got %q (%v) from %q, want %s", v, ok, raw, tt.want)
			}
			if tt.raw != "" && raw != tt.raw {
				t.Errorf("raw is %q, want %q", raw, tt.raw)
			}
		})
	}
}

func TestExtractFindsNone(t *testing.T) {
	for name, output := range map[string]string{
		"empty":               "",
		"line ends":           "\n\n",
		"dash":                "dash: 0: Illegal option --\n",
		"help":                "Usage: foo [-n COUNT]\n  -n 10  how many\n",
		"date":                "2023-06-07\n",
		"built on a date":     "foo, built 2023-06-07 10:00:00\n",
		"copyright":           "Copyright (C) 1994-2022, version 3 of 2.1\n",
		"license":             "License GPLv3+: GNU GPL version 3 or later <http://gnu.org/licenses/gpl-3.0.html>\n",
		"java options only":   "Picked up JAVA_TOOL_OPTIONS: -Dfoo=1.2.3 bar 4.5.6\n",
		"architecture":        "x86_64-pc-linux-gnu\n",
		"hash":                "e6534b4 0a1b2c3d\n",
		"address":             "http://127.0.0.1/ 10.0.0.1:80\n",
		"R under development": "R Under development (unstable) (2024-01-01 r85764) -- \"Unsuffered Consequences\"\n",
		"a number too long":   strings.Repeat("1", 300) + ".1\n",
		"control":             "\x1b[1.2m\x00",
	} {
		if v, raw, ok := version.Extract(output); ok || raw != "" || v != (version.Version{}) {
			t.Errorf("%s: got %s from %q, want none", name, v, raw)
		}
	}
}

func TestExtractPattern(t *testing.T) {
	tests := []struct{ name, pattern, output, want, raw string }{
		{"group version", `(\w+)/OTP (?P<version>\d+)`, "Erlang/OTP 25 [erts-13.1.5]\n", "25.0.0", "Erlang/OTP 25 [erts-13.1.5]"},
		{"other syntax of a named group", `OTP (?<version>\d+)`, "Erlang/OTP 25\n", "25.0.0", "Erlang/OTP 25"},
		{"first group", `OTP (\d+) \[(.*)\]`, "Erlang/OTP 25 [erts-13.1.5]", "25.0.0", ""},
		{"whole match", `erts-[\d.]+`, "Erlang/OTP 25 [erts-13.1.5]", "13.1.5", ""},
		{"java 8 without update", `^java version "(?P<version>[^"]+)"`, "java version \"1.8.0\"\n", "8.0.0", ""},
		{"java release file without update", `(?m)^JAVA_VERSION="([^"]+)"`, "JAVA_VERSION=\"1.8.0\"\n", "8.0.0", ""},
		{"zing", `^java version "(?P<version>[^"]+)"`, "java version \"1.8.0-zing_17.05.0.0\"\nZing Runtime Environment\n", "8.0.0", ""},
		{"no java", `^frob version "(?P<version>[^"]+)"`, "frob version \"1.8.0\"\n", "1.8.0", ""},
		{"R under development", `version ([0-9.]+)`, "Rscript (R) version 4.6.0 Under development (unstable) (2026-01-03 r89269)\n", "4.6.0-devel", ""},
		{"R alpha", `version ([0-9.]+)`, "Rscript (R) version 4.0.0 alpha (2020-04-02 r78141)\n", "4.0.0-alpha", ""},
		{"R candidate", `version ([0-9.]+)`, "Rscript (R) version 4.3.1 RC (2023-06-09 r84528)\n", "4.3.1-rc", ""},
		{"R patched", `version ([0-9.]+)`, "Rscript (R) version 4.2.2 Patched (2022-11-10 r83330)\n", "4.2.2", ""},
		{"R release", `version ([0-9.]+)`, "Rscript (R) version 4.3.3 (2024-02-29)\n", "4.3.3", ""},
		{"pre-release behind the group", `^v([0-9.]+)`, "v2.0.0-beta.3 (x)\n", "2.0.0-beta.3", ""},
		{"fewer numbers on purpose", `^v([0-9]+\.[0-9]+)`, "v2.3.4-beta.3\n", "2.3.0", ""},
		{"bounded", `^v([0-9.]+)`, "v2.0.0-beta" + strings.Repeat("9", 1000) + "\n", "2.0.0-beta" + strings.Repeat("9", 246), ""},
		{"go with BoringCrypto", `^go version (?:devel )?go(?P<version>[0-9][0-9a-z.]*)`, "go version go1.16.4b7 linux/amd64\n", "1.16.4", ""},
		{"python beta", `^Python (\S+)`, "Python 3.13.0b1\n", "3.13.0-b1", ""},
		{"go devel", `^go version (?:devel )?go(?P<version>[0-9][0-9a-z.]*)`, "go version devel go1.23-2e6387c Thu Jan 1\n", "1.23.0-devel", ""},
		{"release file", `JAVA_VERSION="([^"]+)"`, "A=\"1\"\r\nJAVA_VERSION=\"1.8.0_392\"\r\nB=\"2\"\n", "8.0.392", `JAVA_VERSION="1.8.0_392"`},
		{"line ends are gone", `(?m)^foo (\S+)$`, "x\r\nfoo 1.2.3\r\n", "1.2.3", "foo 1.2.3"},
		{"escapes are gone", `^foo (\S+)`, "\x1b[1mfoo\x1b[0m 1.2.3", "1.2.3", "foo 1.2.3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, raw, ok := version.ExtractPattern(regexp.MustCompile(tt.pattern), tt.output)
			if !ok || v.String() != tt.want {
				t.Fatalf("got %q (%v) from %q, want %s", v, ok, raw, tt.want)
			}
			if tt.raw != "" && raw != tt.raw {
				t.Errorf("raw is %q, want %q", raw, tt.raw)
			}
		})
	}
	for name, tt := range map[string][2]string{
		"no match":              {`bar (\d+)`, "foo 1.2.3"},
		"group took no part":    {`foo (?:(bar)|1.2.3)`, "foo 1.2.3"},
		"group is empty":        {`foo (\d*)`, "foo bar 1.2.3"},
		"group holds no number": {`foo (\w+)`, "foo bar 1.2.3"},
	} {
		if v, _, ok := version.ExtractPattern(regexp.MustCompile(tt[0]), tt[1]); ok {
			t.Errorf("%s: got %s, want none", name, v)
		}
	}
}

func TestRawIsShort(t *testing.T) {
	_, raw, ok := version.Extract("foo 1.2.3 " + strings.Repeat("éx", 1000))
	if !ok || len(raw) > 200 || !utf8.ValidString(raw) || !strings.HasPrefix(raw, "foo 1.2.3 é") {
		t.Errorf("got %d bytes, valid %v: %q", len(raw), utf8.ValidString(raw), raw)
	}
}

func TestExtractReadsBoundedOutput(t *testing.T) {
	if v, _, ok := version.Extract(strings.Repeat("x\n", 64<<10) + "foo 1.2.3"); ok {
		t.Errorf("found %s beyond 128 KiB", v)
	}
	if _, _, ok := version.Extract(strings.Repeat("x\n", 60<<10) + "foo 1.2.3"); !ok {
		t.Error("found nothing within 128 KiB")
	}
}
