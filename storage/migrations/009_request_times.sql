-- Who has what when: today and tomorrow on the desk, the list by consultation time, an expert's other consultations.
CREATE INDEX requests_scheduled ON requests (scheduled_ms);

-- All that the list filters and sorts by: a page of it is found without a look at the rows, which hold sealed names and texts.
DROP INDEX requests_state;
DROP INDEX requests_hospital;
CREATE INDEX requests_list ON requests (state, created_ms, urgent, id, scheduled_ms, scheduled_minutes, hospital_id,
    referrer_id, number, updated_ms);
DROP INDEX request_experts_user;
CREATE INDEX request_experts_user ON request_experts (user_id, request_id, lead);
