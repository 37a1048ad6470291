package unify

import (
	"context"
	"fmt"
	"strings"
)

// A partitionedTable describes a partitioned table, which may be a partition itself.
type partitionedTable struct {
	Table  string `json:"relation"`
	Schema string `json:"schema"`
	Name   string `json:"name"`
	// Strategy is partstrat: l is a list, r a range, h a hash.
	Strategy string `json:"strategy"`
	// Key is the column of the partition key. It is empty for several columns or an expression.
	Key string `json:"key"`
	// Mine is the condition that rows of the table satisfy, and Parts are the conditions of its
	// partitions.
	Mine  string   `json:"mine"`
	Parts []string `json:"parts"`
	// Bounds holds the bounds of its partitions, as FOR VALUES …
	Bounds []string `json:"bounds"`
}

// partitionObstacles returns the partitioned tables with rows that will fit no partition.
func (s *session) partitionObstacles(ctx context.Context) ([]Obstacle, error) {
	var found []Obstacle
	for _, t := range s.tables {
		if t.Kind != "p" || len(s.referencesOf(t)) == 0 || !t.isUsable() {
			continue
		}
		var of []partitionedTable
		err := s.load(ctx, "read the partitions of "+t.text(), fmt.Sprintf(`
SELECT c.oid::regclass::text AS relation, n.nspname AS schema, c.relname AS name, p.partstrat::text AS strategy,
  CASE WHEN p.partnatts = 1 THEN (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = p.partattrs[0]) END AS key,
  coalesce(pg_get_partition_constraintdef(c.oid), 'true') AS mine,
  ARRAY(SELECT coalesce(pg_get_partition_constraintdef(i.inhrelid), 'true') FROM pg_inherits i WHERE i.inhparent = c.oid ORDER BY i.inhrelid) AS parts,
  ARRAY(SELECT pg_get_expr(k.relpartbound, k.oid) FROM pg_inherits i JOIN pg_class k ON k.oid = i.inhrelid WHERE i.inhparent = c.oid ORDER BY i.inhrelid) AS bounds
FROM pg_partition_tree(%d) tree JOIN pg_class c ON c.oid = tree.relid JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_partitioned_table p ON p.partrelid = c.oid
WHERE 0 = ANY (p.partattrs::int2[]) OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY (p.partattrs::int2[]) AND a.attname = ANY (%s))
ORDER BY tree.level, 1`, t.OID, array(s.repointedColumns(t))), &of)
		if err != nil {
			return nil, err
		}
		for _, p := range of {
			o, err := s.partitionObstacle(ctx, t, p)
			if err != nil {
				return nil, err
			}
			found = append(found, o...)
		}
	}
	return found, nil
}

func (s *session) partitionObstacle(ctx context.Context, t *table, p partitionedTable) ([]Obstacle, error) {
	value := "NULL"
	if p.Key != "" {
		value = ident(p.Key) + "::text"
	}
	fits := list(append(p.Parts, "false"), " OR ", func(c string) string { return "(" + c + ")" })
	var missing []struct {
		Value *string `json:"value"`
		Rows  int64   `json:"n"`
	}
	err := s.load(ctx, "find rows without a partition of "+p.Table, s.withMap()+fmt.Sprintf(
		"SELECT %s AS value, count(*) AS n FROM %s WHERE attune_moved AND (%s) AND (%s) IS NOT TRUE GROUP BY 1 ORDER BY 1",
		value, s.simulatedRows(t), p.Mine, fits), &missing)
	if err != nil || len(missing) == 0 {
		return nil, err
	}
	var rows int64
	var values []string
	for _, m := range missing {
		rows += m.Rows
		if m.Value != nil {
			values = append(values, literal(*m.Value))
		}
	}
	o := Obstacle{Object: "partitions of table " + p.Schema + "." + p.Name,
		Reason: fmt.Sprintf("%d rows would fit no partition after they refer to the surviving runtime", rows)}
	create := func(n int, bound string) {
		name := p.Name
		if room := 63 - len("_unified_99"); len(name) > room {
			name = strings.ToValidUTF8(name[:room], "")
		}
		o.SQL += fmt.Sprintf("CREATE TABLE %s PARTITION OF %s %s;\n",
			qualified(p.Schema, fmt.Sprintf("%s_unified_%d", name, n)), qualified(p.Schema, p.Name), bound)
	}
	switch {
	case p.Strategy == "h":
		for i, bound := range freeRemainders(p.Bounds) {
			create(i+1, bound)
		}
	case p.Strategy == "l" && len(values) == len(missing):
		create(1, "FOR VALUES IN ("+strings.Join(values, ", ")+")")
	default:
		create(1, "DEFAULT")
		if len(values) > 0 {
			o.SQL += "-- or one for " + p.Key + " " + strings.Join(values, ", ") + "\n"
		}
	}
	o.SQL = strings.TrimSuffix(o.SQL, "\n")
	return []Obstacle{o}, nil
}

// freeRemainders returns the bounds that hash partitions leave open.
func freeRemainders(bounds []string) []string {
	type part struct{ modulus, remainder int }
	var parts []part
	most := 1
	for _, bound := range bounds {
		var p part
		if _, err := fmt.Sscanf(bound, "FOR VALUES WITH (modulus %d, remainder %d)", &p.modulus, &p.remainder); err == nil {
			parts = append(parts, p)
			most = max(most, p.modulus)
		}
	}
	var free []string
	for i := range most {
		taken := false
		for _, p := range parts {
			taken = taken || i%p.modulus == p.remainder
		}
		if !taken {
			free = append(free, fmt.Sprintf("FOR VALUES WITH (MODULUS %d, REMAINDER %d)", most, i))
		}
	}
	return free
}
