// When a card comes back: ldvd_lib/classroom/leitner.py in the browser's language. A test holds the two against each other.

const DAYS = [0, 1, 3, 8, 21, 60]; // box → days until its cards come back; those of the first come again the same day

/** A day of the calendar here, as "2026-11-28": such texts compare as their days do. */
function calendarDay(moment) {
  const parts = [moment.getFullYear(), moment.getMonth() + 1, moment.getDate()];
  return parts.map((part) => String(part).padStart(2, "0")).join("-");
}

function daysAfter(day, count) {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + count);
  return date.toISOString().slice(0, 10);
}

const daysFrom = (day, later) => Math.round((Date.parse(later) - Date.parse(day)) / 86_400_000);

const isDue = (place, day) => !place || place.due <= day;

/** Where a card goes that is answered on a day: a box up, or in the first. One that is not due stays. */
function answered(place, isRight, day) {
  if (!isDue(place, day)) return place;
  const box = isRight ? Math.min((place?.box ?? 0) + 1, DAYS.length - 1) : 0;
  return { box, due: daysAfter(day, DAYS[box]) };
}
