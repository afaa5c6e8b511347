# Readings by the hour, `Time,Water flow [l/s]`, to a JSON list with an object for each day.
BEGIN { FS = "," }
FNR > 1 && $2 != "" {
  day = substr($1, 1, 10)
  if (!(day in count)) { order[++days] = day; least[day] = most[day] = $2 + 0 }
  count[day]++
  sum[day] += $2
  if ($2 + 0 < least[day]) least[day] = $2 + 0
  if ($2 + 0 > most[day]) most[day] = $2 + 0
}
END {
  printf "["
  for (i = 1; i <= days; i++) {
    day = order[i]
    printf "%s\n{\"day\": \"%s\", \"readings\": %d, \"mean\": %.1f, \"least\": %.1f, \"most\": %.1f}", (i > 1 ? "," : ""), day, count[day], sum[day] / count[day], least[day], most[day]
  }
  print "]"
}
