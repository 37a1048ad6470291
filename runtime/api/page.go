package api

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema/store"
)

// The limits of lists.
const (
	defaultLimit = 100
	maxLimit     = 1000
	// defaultPlaced is how many of the workers that fit are listed.
	defaultPlaced = 20
)

// limitOf returns the limit of a list.
func limitOf(c *call, limit int) (int, error) {
	switch given := c.request.URL.Query().Has("limit"); {
	case !given:
		return defaultLimit, nil
	case limit < 1 || limit > maxLimit:
		return 0, wrong("limit", "must be from 1 to %d, got %d", maxLimit, limit)
	}
	return limit, nil
}

// A cursor is where a page of one query ends.
type cursor struct {
	// Query identifies the query.
	Query string `json:"q"`
	// Position is what the list itself goes on behind.
	Position string `json:"p"`
}

// query identifies the query of a call: the operation, the path and all parameters but for those that select the
// page. Calls that list the same workers in the same order have the same one, whatever else they tell of them.
func (c *call) query() string {
	if c.list != "" {
		return shortHash(c.list)
	}
	values := url.Values{}
	for name, given := range c.request.URL.Query() {
		if name != "after" && name != "limit" {
			values[name] = given
		}
	}
	return shortHash(c.op.id + " " + c.request.URL.EscapedPath() + "?" + values.Encode())
}

func shortHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// listOf identifies a list of workers.
func listOf(q *answer.ListQuery) string {
	s := q.Selection
	s.Has, s.Lacks, s.Limit = nil, nil, 0
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // texts and numbers only
	}
	list := fmt.Sprintf("workers %s by %s", text, cmp.Or(q.Order, store.OrderName))
	for _, requirements := range [][]store.RuntimeFilter{q.Selection.Has, q.Selection.Lacks} {
		list += ";"
		for i := range requirements {
			r := &requirements[i]
			list += fmt.Sprintf(" %q %q %v %t", r.Ref, r.Name, r.Constraint, r.Prereleases)
		}
	}
	return list
}

// position returns the position in a cursor of this query. An empty cursor is the beginning.
func (c *call) position(after string) (string, error) {
	if after == "" {
		return "", nil
	}
	text, err := base64.RawURLEncoding.DecodeString(after)
	var cur cursor
	if err == nil {
		err = json.Unmarshal(text, &cur)
	}
	if err != nil || cur.Query != c.query() || strings.ContainsRune(cur.Position, 0) { // no database holds a NUL
		return "", wrong("after", "must be a cursor of this query, got %.100q", after)
	}
	return cur.Position, nil
}

// number returns the position in a cursor whose positions are numbers. The beginning is 0.
func (c *call) number(after string) (int64, error) {
	position, err := c.position(after)
	if err != nil || position == "" {
		return 0, err
	}
	n, err := strconv.ParseInt(position, 10, 64)
	if err != nil || n < 0 {
		return 0, wrong("after", "must be a cursor of this query, got %.100q", after)
	}
	return n, nil
}

// next returns the cursor of the next page, and sets the header Link. An empty position is the
// end of the list. The link is relative, so that it is right under every prefix.
func (c *call) next(position string) string {
	if position == "" {
		return ""
	}
	text, err := json.Marshal(cursor{c.query(), position})
	if err != nil {
		panic(err) // texts only
	}
	after := base64.RawURLEncoding.EncodeToString(text)
	values := c.request.URL.Query()
	values.Set("after", after)
	c.header.Set("Link", "<?"+values.Encode()+`>; rel="next"`)
	return after
}
