package unify

import (
	"context"
	"fmt"
	"strings"
)

// loadedDefinitions returns a SELECT of the definitions that packs loaded, as the loader keeps them in
// pack.meta (see runtime/packs/install), and of the columns that they fill. Their values are not
// lost when they disappear from runtime.
func (d *downSession) loadedDefinitions() string {
	pack := d.ownTable("pack")
	if !pack.has("meta") {
		return "SELECT NULL::text AS ref, NULL::jsonb AS definition, NULL::text[] AS columns WHERE false"
	}
	return strings.NewReplacer("{pack}", pack.from(), "{loaded}", "p.meta::jsonb #> '{attune,loaded}'",
		"{columns}", array([]string{"pack", "pack_ref", "name", "description", "installation", "distributions", "aliases", "execution_config"}),
	).Replace(`SELECT e.key AS ref, e.value || jsonb_build_object('pack', p.id, 'pack_ref', p.ref) AS definition, {columns} AS columns
  FROM {pack} p CROSS JOIN jsonb_each(CASE WHEN jsonb_typeof({loaded}) = 'object' THEN {loaded} ELSE '{}' END) e
  WHERE jsonb_typeof(e.value) = 'object' AND split_part(e.key, '.', 1) = p.ref`)
}

// lossQueries returns queries for what Down would give up, by the object that Up added. Each
// returns a number and an example. Values from a pack do not count.
func (d *downSession) lossQueries() map[string]string {
	table := func(name string) string { return qualified(d.schema, name) }
	constrained := func(name string) string {
		return "SELECT t.ref AS example FROM " + table(name) + " t WHERE t.runtime_version_constraint IS NOT NULL"
	}
	byPack := func(column string) string {
		return fmt.Sprintf("EXISTS (SELECT FROM (%s) l WHERE l.ref = r.ref AND l.definition->%s = r.%s)",
			d.loadedDefinitions(), literal(column), column)
	}
	return map[string]string{
		"column action.runtime_version_constraint": constrained("action"),
		"column sensor.runtime_version_constraint": constrained("sensor"),
		"column runtime.execution_config": "SELECT r.ref AS example FROM " + table("runtime") + " r WHERE r.execution_config <> '{}' AND NOT " +
			byPack("execution_config"),
		"column runtime.aliases": fmt.Sprintf(`SELECT r.ref AS example FROM %s r LEFT JOIN %s u ON u.id = r.id AND u.became = r.id
  LEFT JOIN (%s) c (ref, name, aliases, roles, verification) ON c.ref = r.ref
WHERE r.aliases <> '[]' AND r.aliases <> coalesce(u.merged->'aliases', '[]') AND r.aliases <> coalesce(c.aliases, '[]') AND NOT %s`,
			table("runtime"), d.record(rowsTable), coreDefinitions(), byPack("aliases")),
		"table " + versionTable: fmt.Sprintf(`SELECT r.ref || ' ' || v.version AS example FROM %s v JOIN %s r ON r.id = v.runtime
WHERE NOT EXISTS (SELECT FROM (%s) l
  CROSS JOIN jsonb_array_elements(CASE WHEN jsonb_typeof(l.definition->'versions') = 'array' THEN l.definition->'versions' ELSE '[]' END) e
  WHERE l.ref = r.ref AND e->>'version' = v.version AND coalesce(e->'is_default', 'false') = to_jsonb(v.is_default)
    AND coalesce(e->'distributions', '{}') = v.distributions AND coalesce(e->'execution_config', '{}') = v.execution_config
    AND coalesce(e->'meta', '{}') = v.meta)`,
			table(versionTable), table("runtime"), d.loadedDefinitions()),
	}
}

// lossOrder is the order in which losses are listed.
var lossOrder = []string{"column runtime.aliases", "column runtime.execution_config", "table " + versionTable,
	"column action.runtime_version_constraint", "column sensor.runtime_version_constraint"}

// losses returns the values without a legacy form. Values that services write again do not count:
// digests, and the identity, instance and interval of a worker.
func (d *downSession) losses(ctx context.Context) ([]Loss, error) {
	queries := d.lossQueries()
	var losses []Loss
	for _, object := range lossOrder {
		if !d.isAdded(object) {
			continue
		}
		loss, err := d.loss(ctx, object, queries[object])
		if err != nil {
			return nil, err
		}
		losses = append(losses, loss...)
	}
	crowded, err := d.refCollisions(ctx)
	return append(losses, crowded...), err
}

func (d *downSession) loss(ctx context.Context, object, query string) ([]Loss, error) {
	var found []struct {
		N       int64  `json:"n"`
		Example string `json:"example"`
	}
	err := d.load(ctx, "find values of "+object,
		"SELECT count(*) AS n, coalesce(min(example), '') AS example FROM ("+query+") q", &found)
	if err != nil || found[0].N == 0 {
		return nil, err
	}
	reason := fmt.Sprintf("%d values, for example of %s", found[0].N, found[0].Example)
	if found[0].N == 1 {
		reason = "the value of " + found[0].Example
	}
	return []Loss{{Object: object, Reason: reason}}, nil
}

// refCollisions returns the runtimes whose legacy ref another one has.
func (d *downSession) refCollisions(ctx context.Context) ([]Loss, error) {
	var found []struct {
		CurrentRef string `json:"current_ref"`
		Ref        string `json:"ref"`
	}
	err := d.load(ctx, "find runtimes with the same legacy ref",
		"SELECT current_ref, ref FROM ("+d.restoredRows()+") m WHERE place > 1 ORDER BY 1, 2", &found)
	if err != nil {
		return nil, err
	}
	var losses []Loss
	for _, f := range found {
		losses = append(losses, Loss{Object: "runtime " + f.CurrentRef,
			Reason: fmt.Sprintf("its ref would be %s, which another row has; if it is given up, rows that use it go to that row", f.Ref)})
	}
	return losses, nil
}
