# Readings by the hour, `Time,Water flow [l/s]`, to a JSON object with what is usual at each hour of the day.
BEGIN { FS = "," }
FNR > 1 && $2 != "" { hour = substr($1, 12, 2); count[hour]++; sum[hour] += $2 }
END {
  printf "{"
  for (i = 0; i < 24; i++) {
    hour = sprintf("%02d", i)
    if (hour in count) printf "%s\"%s\": %.1f", (some++ ? ", " : ""), hour, sum[hour] / count[hour]
  }
  print "}"
}
