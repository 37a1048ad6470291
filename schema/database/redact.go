package database

import (
	neturl "net/url"
	"regexp"
	"strings"
)

// mask replaces a password.
const mask = "xxxxx"

var (
	schemeName      = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*$`)
	keywordDSN      = regexp.MustCompile(`(?i)^\s*[a-z_]+\s*=\s*\S`)
	keywordPassword = regexp.MustCompile(`(?i)\b(passw(?:or)?d|sslpassword)(\s*=\s*)('(?:[^'\\]|\\.)*'?|(?:[^\s\\]|\\.)*)`)
	queryPair       = regexp.MustCompile(`^[A-Za-z0-9_.%-]+=`)
)

// Redact returns the URL with its passwords masked: in the user part, in the query, and
// in a list of keywords (host=… password=…). In a malformed URL, such as one with a
// password that is not percent-encoded, it masks too much rather than too little.
func Redact(url string) string {
	safe, _ := redact(url)
	return safe
}

// redact also returns the passwords as written.
func redact(url string) (safe string, secrets []string) {
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok || !schemeName.MatchString(scheme) {
		return redactKeywords(url)
	}
	if strings.EqualFold(scheme, "sqlite") {
		return url, nil
	}

	rest, query := cutQuery(rest)
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		if user, password, ok := strings.Cut(rest[:at], ":"); ok {
			secrets = append(secrets, password)
			rest = user + ":" + mask + rest[at:]
		}
	}
	for i, pair := range query {
		key, value, _ := strings.Cut(pair, "=")
		if plain, err := neturl.QueryUnescape(key); err == nil && isPasswordKey(plain) {
			secrets = append(secrets, value)
			query[i] = key + "=" + mask
		}
	}

	safe = scheme + "://" + rest
	if len(query) > 0 {
		safe += "?" + strings.Join(query, "&")
	}
	return safe, secrets
}

// cutQuery separates the pairs of a query. A question mark without pairs behind it counts
// as a part of a password.
func cutQuery(rest string) (before string, query []string) {
	before, after, ok := strings.Cut(rest, "?")
	if !ok || after == "" {
		return rest, nil
	}
	query = strings.Split(after, "&")
	for _, pair := range query {
		if pair != "" && !queryPair.MatchString(pair) {
			return rest, nil
		}
	}
	return before, query
}

func isPasswordKey(key string) bool {
	switch strings.ToLower(key) {
	case "password", "passwd", "sslpassword":
		return true
	}
	return false
}

func redactKeywords(dsn string) (safe string, secrets []string) {
	for _, m := range keywordPassword.FindAllStringSubmatch(dsn, -1) {
		secrets = append(secrets, m[3])
	}
	return keywordPassword.ReplaceAllString(dsn, "${1}${2}"+mask), secrets
}

// scrub masks the URL's passwords in the text of another program, as written and as
// decoded.
func scrub(text, url string) string {
	safe, secrets := redact(url)
	text = strings.ReplaceAll(text, url, safe)
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		text = strings.ReplaceAll(text, secret, mask)
		if plain, err := neturl.PathUnescape(secret); err == nil {
			text = strings.ReplaceAll(text, plain, mask)
		}
	}
	return text
}
