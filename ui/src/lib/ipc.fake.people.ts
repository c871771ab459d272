// Made-up people for the stand-in shell: the same ones every time.

import { HOSTILE } from "./ipc.fake.hostile";
import type { Attendee, AttendeePage, AttendeeRequest, AttendeeStatus, ItemView } from "./types";

const GIVEN = "Ada Ben Chioma Dmitri Elif Farid Grace Hana Ivo Jun Kofi Lena Mateo Noor Olu Priya Quentin Rosa Sven Tariq Uma Vera Wen Ximena Yusuf Zoë".split(" ");
const FAMILY = "Adeyemi Brandt Castillo Dubois Eriksen Fontaine Gupta Haddad Ivanova Jensen Kowalski Lindqvist Moreau Nakamura O’Brien Petrov Quispe Rossi Sato Takács Ueda Vargas Wójcik Xu Yilmaz Zhang".split(" ");
const COMPANY = ["", "", "Northlight", "Dock Hall", "Tidewater Labs", "", "Kestrel & Co", ""];
const TICKETS = ["General admission", "Maker table", "Student", "Volunteer"];

function person(item: ItemView, index: number): Attendee {
  const hostile = item.id.includes("hostile");
  const name =
    hostile && index < HOSTILE.length
      ? (HOSTILE[index] ?? null)
      : `${GIVEN[(index * 7) % GIVEN.length]} ${FAMILY[(index * 11 + Math.floor(index / 26)) % FAMILY.length]}`;
  const { attending, awaiting, checkedIn } = item.counts;
  const status: AttendeeStatus = index < attending ? "ATTENDING" : index < attending + awaiting ? "AWAITING" : "NOT_ATTENDING";
  const registered = Date.parse("2026-10-02T08:00:00Z") + ((index * 7_919_000) % (50 * 86_400_000));
  return {
    id: `${item.id}-${index}`,
    externalId: String(index),
    name: index % 97 === 96 ? null : name,
    email: hostile && index < HOSTILE.length ? `${HOSTILE[index]}@example.com` : `${(name ?? "").toLowerCase().replace(/[^a-z]+/g, ".")}.${index}@example.com`,
    company: (hostile ? HOSTILE[index + 1] : COMPANY[index % COMPANY.length]) || null,
    ticketType: (hostile ? HOSTILE[index + 2] : TICKETS[Math.floor(index / 3) % TICKETS.length]) ?? null,
    status,
    providerStatus: status === "ATTENDING" ? "approved" : status === "AWAITING" ? "invited" : "declined",
    checkedInAt: index < checkedIn ? new Date(Date.now() - (index + 1) * 97_000).toISOString() : null,
    orderId: `O-${10_000 + index}`,
    registeredAt: new Date(registered).toISOString(),
    updatedAt: null,
    registrations: 1,
  };
}

const KEYS = {
  NAME: (one: Attendee) => one.name ?? "\uffff",
  EMAIL: (one: Attendee) => one.email ?? "",
  STATUS: (one: Attendee) => one.status,
  CHECKED_IN: (one: Attendee) => one.checkedInAt ?? "",
  REGISTERED: (one: Attendee) => one.registeredAt ?? "",
  TICKET: (one: Attendee) => one.ticketType ?? "",
};

const made = new Map<string, Attendee[]>();

export function people(item: ItemView, request: AttendeeRequest): AttendeePage {
  const key = JSON.stringify([item.id, item.counts]);
  let all = made.get(key);
  if (all === undefined) {
    all = Array.from({ length: item.counts.total }, (_, index) => person(item, index));
    made.clear();
    made.set(key, all);
  }
  const sought = request.search.toLowerCase().split(/\s+/).filter(Boolean);
  const matching = all.filter(
    (one) =>
      (request.status === null || one.status === request.status) &&
      (request.ticket === null || one.ticketType === request.ticket) &&
      sought.every((word) => `${one.name} ${one.email} ${one.company}`.toLowerCase().includes(word)),
  );
  const by = KEYS[request.sort];
  matching.sort((left, right) => (by(left) < by(right) ? -1 : by(left) > by(right) ? 1 : 0) * (request.descending ? -1 : 1));
  return {
    total: all.length,
    matching: matching.length,
    tickets: all.length === 0 ? [] : item.id.includes("hostile") ? [...HOSTILE] : TICKETS,
    rows: matching.slice(request.offset, request.offset + request.limit),
  };
}
