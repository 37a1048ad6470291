package unify

import (
	"context"
	"fmt"
)

// An index uses runtime_type and is dropped with it, or with the constraint that it belongs to.
type index struct {
	Name       string  `json:"name"`
	Definition string  `json:"definition"`
	Constraint *string `json:"of"`
	Comment    *string `json:"comment"`
	Tablespace string  `json:"tablespace"`
	Clustered  bool    `json:"clustered"`
	// Identity reports that it is the table's replica identity.
	Identity bool `json:"identity"`
	// Options holds storage parameters, as they follow SET. Statistics holds the targets of its
	// columns, as they follow ALTER INDEX.
	Options    *string  `json:"options"`
	Statistics []string `json:"statistics"`
}

func (s *session) typeIndexes(ctx context.Context, num int) ([]index, error) {
	var found []index
	err := s.load(ctx, "read the indexes on runtime_type", fmt.Sprintf(`
SELECT x.relname AS name, pg_get_indexdef(i.indexrelid) AS definition, obj_description(i.indexrelid, 'pg_class') AS comment,
  (SELECT c.conname FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x')) AS of,
  coalesce((SELECT spcname FROM pg_tablespace WHERE oid = x.reltablespace), '') AS tablespace, i.indisclustered AS clustered,
  i.indisreplident AS identity,
  (SELECT string_agg(format('%%I = %%L', o.option_name, o.option_value), ', ') FROM pg_options_to_table(x.reloptions) o) AS options,
  ARRAY(SELECT format('ALTER COLUMN %%s SET STATISTICS %%s', a.attnum, a.attstattarget) FROM pg_attribute a
    WHERE a.attrelid = x.oid AND a.attstattarget >= 0 ORDER BY a.attnum) AS statistics
FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
WHERE i.indrelid = %d AND (%d = ANY (i.indkey::int2[]) OR EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
    AND d.objid = i.indexrelid AND d.refclassid = 'pg_class'::regclass AND d.refobjid = i.indrelid AND d.refobjsubid = %d))
ORDER BY 1`, s.runtime.OID, num, num), &found)
	return found, err
}

// identityChange returns the change for a table whose replica identity is a dropped index.
// Without a replica identity a published table could not be updated.
func (s *session) identityChange(ctx context.Context, i index) (Change, error) {
	n, err := s.count(ctx, "find the primary key of runtime", fmt.Sprintf(
		"SELECT count(*) FROM pg_index WHERE indrelid = %d AND indisprimary AND indexrelid <> to_regclass(%s)",
		s.runtime.OID, literal(qualified(s.schema, i.Name))))
	to := "ALTER TABLE " + s.runtime.sql() + " REPLICA IDENTITY "
	c := Change{Action: "change", Object: "replica identity of runtime", Do: to + "DEFAULT", Undo: to + "USING INDEX " + ident(i.Name)}
	if n == 0 {
		c.Do = to + "FULL"
	}
	return c, err
}

// finishIndex returns the statements that complete an index after its creation.
func (s *session) finishIndex(i index) string {
	name := qualified(s.schema, i.Name)
	text := comment("INDEX "+name, i.Comment)
	if i.Options != nil && i.Constraint != nil {
		text += ";\nALTER INDEX " + name + " SET (" + *i.Options + ")"
	}
	for _, target := range i.Statistics {
		text += ";\nALTER INDEX " + name + " " + target
	}
	if i.Tablespace != "" {
		text += ";\nALTER INDEX " + name + " SET TABLESPACE " + ident(i.Tablespace)
	}
	if i.Clustered {
		text += ";\nALTER TABLE " + s.runtime.sql() + " CLUSTER ON " + ident(i.Name)
	}
	return text
}
