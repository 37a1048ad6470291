package unify

import (
	"context"
	"fmt"
)

// lossQueries count what Down would give up, by the object that Up added; each
// gives a number and some examples.
func (d *downSession) lossQueries() map[string]string {
	table := func(name string) string { return qualified(d.schema, name) }
	constrained := func(name string) string {
		return "SELECT t.ref AS example FROM " + table(name) + " t WHERE t.runtime_version_constraint IS NOT NULL"
	}
	return map[string]string{
		"column action.runtime_version_constraint": constrained("action"),
		"column sensor.runtime_version_constraint": constrained("sensor"),
		"column runtime.execution_config":          "SELECT r.ref AS example FROM " + table("runtime") + " r WHERE r.execution_config <> '{}'",
		"column runtime.aliases": fmt.Sprintf(`SELECT r.ref AS example FROM %s r LEFT JOIN %s u ON u.id = r.id AND u.became = r.id
  LEFT JOIN (%s) c (ref, aliases, roles, verification) ON c.ref = r.ref
WHERE r.aliases <> '[]' AND r.aliases <> coalesce(u.merged->'aliases', '[]') AND r.aliases <> coalesce(c.aliases, '[]')`,
			table("runtime"), d.record(rowsTable), coreDefinitions()),
		"table " + versionTable: fmt.Sprintf("SELECT r.ref || ' ' || v.version AS example FROM %s v JOIN %s r ON r.id = v.runtime",
			table(versionTable), table("runtime")),
	}
}

// lossOrder is the order in which losses are told.
var lossOrder = []string{"column runtime.aliases", "column runtime.execution_config", "table " + versionTable,
	"column action.runtime_version_constraint", "column sensor.runtime_version_constraint"}

// losses are the values that have no legacy form. What a service writes again by
// itself (digests, a worker's identity, instance and interval) is none.
func (d *downSession) losses(ctx context.Context) ([]Loss, error) {
	queries := d.lossQueries()
	var losses []Loss
	for _, object := range lossOrder {
		if !d.added(object) {
			continue
		}
		loss, err := d.loss(ctx, object, queries[object])
		if err != nil {
			return nil, err
		}
		losses = append(losses, loss...)
	}
	crowded, err := d.crowded(ctx)
	return append(losses, crowded...), err
}

func (d *downSession) loss(ctx context.Context, object, query string) ([]Loss, error) {
	var found []struct {
		N       int64  `json:"n"`
		Example string `json:"example"`
	}
	err := d.load(ctx, "look for what "+object+" holds",
		"SELECT count(*) AS n, coalesce(min(example), '') AS example FROM ("+query+") q", &found)
	if err != nil || found[0].N == 0 {
		return nil, err
	}
	reason := fmt.Sprintf("%d values, such as that of %s", found[0].N, found[0].Example)
	if found[0].N == 1 {
		reason = "the value of " + found[0].Example
	}
	return []Loss{{Object: object, Reason: reason}}, nil
}

// crowded are the runtimes whose legacy ref another one has.
func (d *downSession) crowded(ctx context.Context) ([]Loss, error) {
	var found []struct {
		CurrentRef string `json:"current_ref"`
		Ref        string `json:"ref"`
	}
	err := d.load(ctx, "look for runtimes that want the same ref",
		"SELECT current_ref, ref FROM ("+d.restored()+") m WHERE place > 1 ORDER BY 1, 2", &found)
	if err != nil {
		return nil, err
	}
	var losses []Loss
	for _, f := range found {
		losses = append(losses, Loss{Object: "runtime " + f.CurrentRef,
			Reason: fmt.Sprintf("it would be %s, which another row is; with --force what uses it goes to that row", f.Ref)})
	}
	return losses, nil
}
