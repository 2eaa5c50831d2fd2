-- DICOM images of a request. What describes patient and study is sealed; what is looked for by value (PatientID, AccessionNumber) has a keyed index.
CREATE TABLE dicom_studies (
    id TEXT NOT NULL PRIMARY KEY,
    request_id TEXT NOT NULL REFERENCES requests (id),
    uid TEXT NOT NULL,                      -- the same study may belong to several requests
    study_date TEXT NOT NULL,               -- YYYYMMDD, '': the images do not say
    patient_token TEXT NOT NULL,
    accession_token TEXT NOT NULL,
    tags_sealed BLOB NOT NULL,              -- attributes of patient and study, DICOM JSON (PS3.18 Annex F)
    created_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX dicom_studies_uid ON dicom_studies (uid, request_id);
CREATE INDEX dicom_studies_request ON dicom_studies (request_id, created_ms);
CREATE INDEX dicom_studies_date ON dicom_studies (study_date);
CREATE INDEX dicom_studies_patient ON dicom_studies (patient_token);
CREATE INDEX dicom_studies_accession ON dicom_studies (accession_token);
CREATE TABLE dicom_series (
    id TEXT NOT NULL PRIMARY KEY,
    study_id TEXT NOT NULL REFERENCES dicom_studies (id),
    uid TEXT NOT NULL,
    modality TEXT NOT NULL,
    number BIGINT NOT NULL,
    tags_sealed BLOB NOT NULL
);
CREATE UNIQUE INDEX dicom_series_uid ON dicom_series (study_id, uid);
CREATE TABLE dicom_instances (
    id TEXT NOT NULL PRIMARY KEY,
    series_id TEXT NOT NULL REFERENCES dicom_series (id),
    uid TEXT NOT NULL,
    sop_class TEXT NOT NULL,
    syntax TEXT NOT NULL,                   -- transfer syntax of the file
    number BIGINT NOT NULL,
    height BIGINT NOT NULL,
    width BIGINT NOT NULL,
    frames BIGINT NOT NULL,
    sha256 TEXT NOT NULL,                   -- the object: the file as it came
    size BIGINT NOT NULL,
    conflict INTEGER NOT NULL,              -- 1: came under the UID of another file that was here before; both are kept
    uploaded_by TEXT NOT NULL REFERENCES users (id),
    created_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX dicom_instances_uid ON dicom_instances (series_id, uid, sha256);
